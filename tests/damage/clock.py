"""A clock that is a month ahead of what the node knows deletes nothing, until somebody says that it is right."""
import re
import time

from harness.runner import case, check, equal, eventually

TOPIC, DAY_MS = "old-ones", 86_400_000


def metric(node, name):
    return float(re.search(rf"^{name} (\S+)$", node.http("/metrics"), re.M).group(1))


def set_back(node, days):
    """As if the wall clock had been set ahead by so many days since the node wrote its note of the time."""
    note = node.data / ".moldau_clock"
    text = note.read_text()
    wall_ms = int(re.search(r"^wall\.ms=(\d+)$", text, re.M).group(1))
    note.write_text(text.replace(f"wall.ms={wall_ms}", f"wall.ms={wall_ms - days * DAY_MS}"))


@case("a clock a month ahead deletes nothing until moldau.retention.clock.jump.max.ms says that it is right, as the log line spells it out")
def confirmed(world):
    from confluent_kafka import Producer
    node = world.node("clock", log_retention_check_interval_ms="300", log_initial_task_delay_ms="100", log_segment_delete_delay_ms="100")
    with node:
        def tool(name, *words):
            return world.tools.run(name, "--bootstrap-server", node.bootstrap, *words).ok()

        node.start()
        tool("kafka-topics", "--create", "--topic", TOPIC, "--partitions", "1", "--config", "segment.bytes=1048576", "--config", "retention.ms=-1")
        # By the wall clock they are 36 days old, by a clock that is a month behind six.
        then_ms = int(time.time() * 1000) - 36 * DAY_MS
        producer = Producer({"bootstrap.servers": node.bootstrap, "acks": "all", "linger.ms": 5, "log_level": 0})
        for _ in range(900):
            producer.produce(TOPIC, b"x" * 3000, partition=0, timestamp=then_ms)
        equal(producer.flush(30), 0, "records without an answer")
        log = node.data / f"{TOPIC}-0"
        segments = sorted(f.name for f in log.glob("*.log"))
        check(len(segments) >= 3, f"the topic has {segments}")
        node.stop()
        set_back(node, 30)

        node.start()
        check(abs(metric(node, "moldau_clock_ahead_seconds") - 30 * 86400) < 60, "the metric does not say how far the clock is ahead")
        tool("kafka-configs", "--alter", "--entity-type", "topics", "--entity-name", TOPIC, "--add-config", f"retention.ms={7 * DAY_MS}")
        time.sleep(3)
        equal(sorted(f.name for f in log.glob("*.log")), segments, "the segments under a clock that nobody has confirmed")
        said = eventually(lambda: re.search(r"say so: kafka-configs (.*)$", node.said(1000), re.M), "the log says what to do", 5)
        tool("kafka-configs", *said.group(1).split())
        eventually(lambda: len(list(log.glob("*.log"))) == 1, "what is old is deleted once the clock is confirmed", 20)
        eventually(lambda: metric(node, "moldau_clock_ahead_seconds") == 0, "the metric says that the clock is believed", 5)
        eventually(lambda: "the clock is believed again" in node.said(1000), "the log says that the clock is believed", 15)
        tool("kafka-configs", "--alter", "--entity-type", "brokers", "--entity-default", "--delete-config", "moldau.retention.clock.jump.max.ms")
        node.stop()
        node.start()
        equal(metric(node, "moldau_clock_ahead_seconds"), 0.0, "how far the clock is ahead after it was confirmed and the node started again")
        node.stop()

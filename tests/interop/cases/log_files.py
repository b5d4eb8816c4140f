"""kafka-dump-log on the node's own files, and kafka-log-dirs."""
import json
import re

from harness.clients import Record
from harness.runner import case, check, equal

START = 1_700_000_000_000
NAME = "00000000000000000000"


@case("log files: kafka-dump-log reads a live segment as one of Apache Kafka")
def dump_log(world):
    world.create("dumped", 1, retention_ms=-1, index_interval_bytes=100)
    client = world.client("librdkafka")
    for i, codec in enumerate(("none", "gzip", "snappy", "lz4", "zstd")):
        client.produce(world.bootstrap, "dumped", [Record(b"k%d" % i, b"v" * 50, [("h", b"1")], timestamp=START + i)], codec=codec)
    world.client("java").produce(world.bootstrap, "dumped", [Record(None, b"x", timestamp=START + 9), Record(b"", None, timestamp=START + 9)],
                                 idempotent=True)
    folder = world.node.data / "dumped-0"
    with world.transcript("dump_log") as t:
        # The bytes of a compressed batch, and so its size and CRC, are the client's.
        answer = world.tools.run("kafka-dump-log", "--files", folder / f"{NAME}.log", "--print-data-log", "--deep-iteration")
        check(answer.code == 0, answer.err)
        said = re.sub(r"(crc|size|producerId|position|CreateTime): ?-?\d+", r"\1: N", answer.out)
        t.note(said)


@case("log files: kafka-dump-log decodes __consumer_offsets and the metadata log")
def decoded_logs(world):
    from confluent_kafka import Consumer, TopicPartition
    world.create("decoded", 1)
    consumer = Consumer({"bootstrap.servers": world.bootstrap, "group.id": "decoded-group"})
    consumer.commit(offsets=[TopicPartition("decoded", 0, 42, metadata="note")], asynchronous=False)
    consumer.close()
    partition = java_hash("decoded-group") % 50
    said = world.tools.run("kafka-dump-log", "--files", world.node.data / f"__consumer_offsets-{partition}" / f"{NAME}.log",
                           "--offsets-decoder").ok()
    payloads = [json.loads(line.split("payload: ", 1)[1]) for line in said.splitlines() if "payload: " in line and "decoded" in line]
    check(payloads, f"no offset of the group in partition {partition}:\n{said}")
    value = payloads[-1]["data"]
    equal((value["offset"], value["metadata"].rstrip("\0")), (42, "note"), f"the committed offset in {payloads[-1]}")

    said = world.tools.run("kafka-dump-log", "--files", world.node.data / "__cluster_metadata-0" / f"{NAME}.log",
                           "--cluster-metadata-decoder").ok()
    topics = [json.loads(line.split("payload: ", 1)[1]) for line in said.splitlines() if '"type":"TOPIC_RECORD"' in line]
    check("decoded" in [t["data"]["name"] for t in topics], "the topic's record is not in the metadata log")


def java_hash(text):
    """The size of Java's hash of a text, which places a group among the partitions of __consumer_offsets."""
    value = 0
    for c in text:
        value = (31 * value + ord(c)) & 0xFFFFFFFF
    return value if value < 1 << 31 else (1 << 32) - value


@case("log files: kafka-log-dirs shows each partition with its size")
def log_dirs(world):
    world.create("measured", 2)
    world.client("librdkafka").produce(world.bootstrap, "measured", [Record(None, b"x" * 1000, partition=1) for _ in range(5)])
    said = world.tool("kafka-log-dirs", "--describe", "--topic-list", "measured").ok()
    described = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    broker = described["brokers"][0]
    equal(broker["broker"], 1, "the broker")
    directory = broker["logDirs"][0]
    equal((directory["error"], directory["logDir"]), (None, str(world.node.data)), "the directory")
    sizes = {p["partition"]: p["size"] for p in directory["partitions"]}
    equal(sizes, {f"measured-{i}": (world.node.data / f"measured-{i}" / f"{NAME}.log").stat().st_size for i in (0, 1)}, "sizes")

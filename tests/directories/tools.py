"""kafka-log-dirs and kafka-reassign-partitions against the node, beside Apache Kafka's own answers."""
import re

from directories.moves import log_dirs, place_of, reassign, wait_until_done
from harness.clients import Librdkafka, Record
from harness.runner import case, equal

TOPIC, PARTITIONS = "moved", 4


def said(answer, node):
    """What a tool printed, without what differs from node to node."""
    text = f"{answer.out}{answer.err}\n[{answer.code}]"
    text = text.replace(str(node.folder), "FOLDER").replace(node.bootstrap, "BOOTSTRAP")
    text = re.sub(r"^\[[\d\- :,]+\].*\n", "", text, flags=re.M)
    # Which partition lay where before is the node's choice.
    return re.sub(r"^Current partition replica assignment\n\n.*?\n\nSave", "Current partition replica assignment\n\nSave", text, flags=re.M | re.S)


def story(world, target):
    """What the tools print from the first look to the last, and the values that can be read at the end."""
    told = []
    node = world.node(target, f"tools-{target}")
    with node:
        node.start()
        tool = world.tools.run
        tool("kafka-topics", "--bootstrap-server", node.bootstrap, "--create", "--topic", TOPIC, "--partitions", str(PARTITIONS)).ok()
        Librdkafka().produce(node.bootstrap, TOPIC, [Record(b"%d" % n, b"x" * 1000, partition=n % PARTITIONS) for n in range(400)], idempotent=True)
        placed = {name: sorted(entry["partitions"]) for name, entry in log_dirs(world, node, TOPIC).items()}
        told.append(("each directory has as many", sorted(len(p) for p in placed.values())))
        lag_and_error = {name: (entry["error"], {p: (size > 100_000, lag, future) for p, (size, lag, future) in entry["partitions"].items()})
                         for name, entry in log_dirs(world, node, TOPIC).items()}
        told.append(("what is said of the partitions", sorted(str(v) for _, entry in lag_and_error.values() for v in entry.values())))
        everything = {f"{TOPIC}-{p}": node.directories[1] for p in range(PARTITIONS)}
        told.append(("execute", said(reassign(world, node, everything, "execute", "--replica-alter-log-dirs-throttle", "100000000"), node)))
        wait_until_done(world, node)
        told.append(("verify", said(reassign(world, node, everything, "verify"), node)))
        told.append(("after", {name: sorted(entry["partitions"]) for name, entry in log_dirs(world, node, TOPIC).items()}))
        nowhere = {f"{TOPIC}-0": node.folder / "nowhere"}
        told.append(("a directory that is none", said(reassign(world, node, nowhere, "execute"), node)))
        told.append(("a topic that is none", said(reassign(world, node, {"none-0": node.directories[0]}, "execute"), node)))
        # Slow enough to be seen on its way, then back.
        slow = {f"{TOPIC}-0": node.directories[0]}
        reassign(world, node, slow, "execute", "--replica-alter-log-dirs-throttle", "1000")
        futures = [(name, lag >= 0) for name, entry in log_dirs(world, node, TOPIC).items()
                   for partition, (_, lag, future) in entry["partitions"].items() if future]
        told.append(("on its way", futures))
        told.append(("verify on its way", said(reassign(world, node, slow, "verify", "--preserve-throttles"), node)))
        back = {f"{TOPIC}-0": node.directories[1]}
        told.append(("back", reassign(world, node, back, "execute", "--additional").code))
        wait_until_done(world, node)
        told.append(("it lies where it was", place_of(world, node, f"{TOPIC}-0")))
        told.append(("records", sorted(r.value for r in Librdkafka().consume(node.bootstrap, TOPIC, 400)) == sorted([b"x" * 1000] * 400)))
        return told


@case("tools: kafka-reassign-partitions and kafka-log-dirs show and do what they do against Apache Kafka")
def as_kafka(world):
    mine, kafkas = story(world, "moldau"), story(world, "kafka")
    for (what, here), (_, there) in zip(mine, kafkas):
        equal(here, there, what)


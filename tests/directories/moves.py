"""Moves as Kafka's own tools ask for them, and what DescribeLogDirs says of them."""
import json

from harness.runner import eventually


def log_dirs(world, node, topics=None):
    """What kafka-log-dirs prints: directory's name -> {"error": ..., partition: (size, lag, is future)}."""
    more = ["--topic-list", topics] if topics else []
    said = world.tools.run("kafka-log-dirs", "--bootstrap-server", node.bootstrap, "--describe", *more).ok()
    line = next(line for line in said.splitlines() if line.startswith("{"))
    found = {}
    for broker in json.loads(line)["brokers"]:
        for entry in broker["logDirs"]:
            partitions = {p["partition"] + ("*" if p["isFuture"] else ""): (p["size"], p["offsetLag"], p["isFuture"]) for p in entry["partitions"]}
            found[entry["logDir"].rsplit("/", 1)[-1]] = {"error": entry["error"], "partitions": partitions}
    return found


def place_of(world, node, partition):
    """The directory's name in which the partition lies now."""
    return next(name for name, entry in log_dirs(world, node).items() if partition in entry["partitions"])


def plan(world, node, targets):
    """A file for kafka-reassign-partitions: {"topic-0": directory's path}."""
    entries = [{"topic": name.rsplit("-", 1)[0], "partition": int(name.rsplit("-", 1)[1]), "replicas": [1], "log_dirs": [str(path)]}
               for name, path in sorted(targets.items())]
    path = node.folder / "reassignment.json"
    path.write_text(json.dumps({"version": 1, "partitions": entries}))
    return path


def reassign(world, node, targets, what, *more):
    return world.tools.run("kafka-reassign-partitions", "--bootstrap-server", node.bootstrap, "--reassignment-json-file", plan(world, node, targets),
                           f"--{what}", *more)


def wait_until_done(world, node, seconds=60):
    eventually(lambda: not any(p[2] for entry in log_dirs(world, node).values() for p in entry["partitions"].values()),
               "every move has ended", seconds)

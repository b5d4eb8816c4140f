"""kafka-topics, and topics that are made by their first use."""
from harness.clients import Record
from harness.runner import case, check, eventually


@case("topics: create, list, describe, alter, delete as Apache Kafka answers")
def life_of_topics(world):
    with world.transcript("topics") as t:
        t.run("kafka-topics", "--create", "--topic", "life", "--partitions", "3", "--config", "retention.ms=86400000",
              "--config", "cleanup.policy=compact,delete")
        t.run("kafka-topics", "--create", "--topic", "life.dotted", "--replica-assignment", "1,1")
        t.run("kafka-topics", "--create", "--topic", "life_default")
        t.run("kafka-topics", "--list", "--exclude-internal", keep="^life")
        t.run("kafka-topics", "--describe", "--topic", "life")
        t.run("kafka-topics", "--describe", "--topic", "life.dotted")
        t.run("kafka-topics", "--describe", "--topic", "life_default")
        t.run("kafka-topics", "--alter", "--topic", "life", "--partitions", "5")
        t.run("kafka-topics", "--describe", "--topic", "life")
        t.run("kafka-topics", "--describe", "--topic", "life", "--topics-with-overrides")
        t.run("kafka-topics", "--describe", "--under-replicated-partitions")
        t.run("kafka-topics", "--describe", "--unavailable-partitions")
        t.run("kafka-topics", "--describe", "--at-min-isr-partitions", "--topic", "life")
        for topic in ("life", "life.dotted", "life_default"):
            t.run("kafka-topics", "--delete", "--topic", topic)
        eventually(lambda: "life" not in world.tool("kafka-topics", "--list").out, "the deleted topics are gone from the list")
        t.run("kafka-topics", "--describe", "--topic", "life")


@case("topics: what is wrong is refused with Apache Kafka's words")
def refused_topics(world):
    with world.transcript("topics_refused") as t:
        t.run("kafka-topics", "--create", "--topic", "twice")
        t.run("kafka-topics", "--create", "--topic", "twice")
        t.run("kafka-topics", "--create", "--topic", "twice", "--if-not-exists")
        t.run("kafka-topics", "--create", "--topic", "bad name!")
        t.run("kafka-topics", "--create", "--topic", "x" * 250)
        t.run("kafka-topics", "--create", "--topic", "wide", "--replication-factor", "2")
        t.run("kafka-topics", "--create", "--topic", "none", "--partitions", "0")
        t.run("kafka-topics", "--create", "--topic", "config", "--config", "retention.ms=soon")
        t.run("kafka-topics", "--create", "--topic", "config", "--config", "no.such.key=1")
        t.run("kafka-topics", "--create", "--topic", "config", "--config", "min.insync.replicas=0")
        t.run("kafka-topics", "--create", "--topic", "config", "--config", "cleanup.policy=shred")
        t.run("kafka-topics", "--create", "--topic", "placed", "--replica-assignment", "7")
        t.run("kafka-topics", "--create", "--topic", "placed", "--replica-assignment", "1:1")
        t.run("kafka-topics", "--alter", "--topic", "twice", "--partitions", "1")
        t.run("kafka-topics", "--alter", "--topic", "missing", "--partitions", "2")
        t.run("kafka-topics", "--delete", "--topic", "missing")
        t.run("kafka-topics", "--describe", "--topic", "missing")
        t.run("kafka-topics", "--create", "--topic", "twi.ce_")
        t.run("kafka-topics", "--create", "--topic", "twi_ce.")
        t.run("kafka-topics", "--delete", "--topic", "twice")


@case("topics: a deleted and recreated topic is empty and has another id")
def recreated_topic(world):
    client = world.client("librdkafka")
    world.create("again")
    first_id = topic_id(world, "again")
    client.produce(world.bootstrap, "again", [Record(b"k", b"old")])
    world.tool("kafka-topics", "--delete", "--topic", "again").ok()
    eventually(lambda: "again" not in world.tool("kafka-topics", "--list").out.split(), "the topic is deleted")
    world.create("again")
    check(topic_id(world, "again") != first_id, "the new topic has the old one's id")
    client.produce(world.bootstrap, "again", [Record(b"k", b"new")])
    got = client.consume(world.bootstrap, "again", 1)
    check([(r.offset, r.value) for r in got] == [(0, b"new")], f"read {[(r.offset, r.value) for r in got]}")


def topic_id(world, topic):
    return world.tool("kafka-topics", "--describe", "--topic", topic).ok().split("TopicId:")[1].split()[0]


@case("topics: producing to a topic that is not there creates it, for every client")
def auto_created(world):
    for client in world.clients:
        topic = f"auto-{client.name}"
        if client.name == "franz-go":
            topic = "auto-franz"
        client.produce(world.bootstrap, topic, [Record(b"k", b"v")])
        got = world.client("librdkafka").consume(world.bootstrap, topic, 1)
        check([r.value for r in got] == [b"v"], f"{client.name}: read {[r.value for r in got]}")
    with world.transcript("topics_auto") as t:
        t.run("kafka-topics", "--describe", "--topic", "auto-java")


@case("topics: kcat lists the node and its topics")
def kcat_list(world):
    import json
    import subprocess
    world.create("for-kcat", 2)
    said = json.loads(subprocess.run(["kcat", "-b", world.bootstrap, "-L", "-J", "-t", "for-kcat"], capture_output=True, text=True,
                                     timeout=30, check=True).stdout)
    check([(b["id"], b["name"]) for b in said["brokers"]] == [(1, world.bootstrap)], f"brokers: {said['brokers']}")
    partitions = [(p["partition"], p["leader"], p["replicas"], p["isrs"]) for p in said["topics"][0]["partitions"]]
    check(partitions == [(i, 1, [{"id": 1}], [{"id": 1}]) for i in (0, 1)], f"partitions: {partitions}")

"""What the node says about itself: API versions, features, quorum, cluster id, groups."""
import re

from harness.log_files import faults_in_files
from harness.runner import case, equal
from interop.world import GOLDEN


def api_ranges(text):
    """API name -> the range in kafka-broker-api-versions' line."""
    return dict(re.findall(r"^\s*(\w+)\(\d+\): (?!UNSUPPORTED)([\d a-z]+?) \[usable", text, re.M))


@case("cluster: every API that is offered is offered in exactly Apache Kafka's versions")
def api_versions(world):
    said = world.tool("kafka-broker-api-versions").ok()
    mine = api_ranges(said)
    path = GOLDEN / "api_versions.txt"
    if world.record:
        path.write_text("".join(f"{name} {versions}\n" for name, versions in sorted(mine.items())))
    kafka = dict(line.split(" ", 1) for line in path.read_text().splitlines())
    print(f"    APIs of Apache Kafka that are not offered: {', '.join(sorted(set(kafka) - set(mine))) or 'none'}")
    equal(mine, {name: kafka[name] for name in mine if name in kafka}, "the ranges")
    needed = {"Produce", "Fetch", "ListOffsets", "Metadata", "OffsetCommit", "OffsetFetch", "FindCoordinator", "JoinGroup", "Heartbeat",
              "LeaveGroup", "SyncGroup", "DescribeGroups", "ListGroups", "ApiVersions", "CreateTopics", "DeleteTopics", "DeleteRecords",
              "InitProducerId", "OffsetForLeaderEpoch", "DescribeConfigs", "AlterConfigs", "DescribeLogDirs", "CreatePartitions", "DeleteGroups",
              "IncrementalAlterConfigs", "OffsetDelete", "DescribeQuorum", "UpdateFeatures", "DescribeCluster", "DescribeProducers",
              "DescribeTopicPartitions", "AlterReplicaLogDirs", "AlterPartitionReassignments", "ListPartitionReassignments"}
    equal(sorted(needed - set(mine)), [], "APIs that must be there")


@case("cluster: quorum, features, cluster id and log directories as Apache Kafka shows them")
def about_itself(world):
    with world.transcript("cluster") as t:
        for what in ("cluster-id", "list-endpoints"):
            t.run("kafka-cluster", what, "--bootstrap-server", world.bootstrap, bootstrap=False)
        quorum = world.tool("kafka-metadata-quorum", "describe", "--status").ok()
        t.note(re.sub(r"(LeaderEpoch|HighWatermark|MaxFollowerLagTimeMs):\s+\d+", r"\1: N", quorum))
        replication = world.tool("kafka-metadata-quorum", "describe", "--replication").ok()
        t.note(re.sub(r"\b\d{2,}\b", "N", replication))
        features = world.tool("kafka-features", "describe").ok()
        # Which other features a node finalizes depends on what it has, and how it was formatted.
        t.note("\n".join(re.sub(r"Epoch: \d+", "Epoch: N", line) for line in features.splitlines()
                         if line.startswith("Feature: metadata.version")))


@case("cluster: kafka-groups lists a group as Apache Kafka does")
def groups_listed(world):
    from confluent_kafka import Consumer, TopicPartition
    world.create("listed")
    consumer = Consumer({"bootstrap.servers": world.bootstrap, "group.id": "listed-group"})
    consumer.commit(offsets=[TopicPartition("listed", 0, 0)], asynchronous=False)
    consumer.close()
    with world.transcript("groups_listed") as t:
        t.run("kafka-groups", "--list", keep="GROUP|listed-group")
        t.run("kafka-groups", "--list", "--group-type", "classic", keep="GROUP|listed-group")


@case("restart: an orderly stop and start keeps topics, records, settings and group offsets")
def restart(world):
    from harness.clients import Record
    from confluent_kafka import Consumer, TopicPartition
    world.create("kept", 2, retention_ms=86400000)
    client = world.client("librdkafka")
    client.produce(world.bootstrap, "kept", [Record(b"k%d" % i, b"v", partition=i % 2) for i in range(100)], codec="zstd", idempotent=True)
    consumer = Consumer({"bootstrap.servers": world.bootstrap, "group.id": "kept-group"})
    consumer.commit(offsets=[TopicPartition("kept", 0, 11), TopicPartition("kept", 1, 22, metadata="m")], asynchronous=False)
    consumer.close()

    def seen():
        return (world.tool("kafka-topics", "--describe", "--topic", "kept").ok(),
                sorted(r.content() for r in client.consume(world.bootstrap, "kept", 100)),
                world.tool("kafka-consumer-groups", "--describe", "--group", "kept-group").ok(),
                world.tool("kafka-get-offsets", "--topic", "kept").ok())

    before = seen()
    world.node.stop()
    equal(faults_in_files(world.tools, world.node.data), [], "what kafka-dump-log says against the files")
    world.node.start()
    equal(seen(), before, "what clients see after the restart")
    client.produce(world.bootstrap, "kept", [Record(b"after", b"v", partition=0)])

"""kafka-configs on topics and brokers."""
from harness.runner import case


@case("configs: a topic's settings are described, altered and taken back as Apache Kafka answers")
def topic_configs(world):
    with world.transcript("configs_topic") as t:
        of = ("--entity-type", "topics", "--entity-name", "settings")
        t.run("kafka-topics", "--create", "--topic", "settings", "--config", "retention.ms=3600000")
        t.run("kafka-configs", "--describe", *of)
        t.run("kafka-configs", "--describe", "--all", *of, ordered=False)
        t.run("kafka-configs", "--alter", *of, "--add-config", "segment.bytes=1048576,max.message.bytes=2000000")
        t.run("kafka-configs", "--describe", *of, ordered=False)
        t.run("kafka-configs", "--alter", *of, "--add-config", "cleanup.policy=[compact,delete]")
        t.run("kafka-configs", "--alter", *of, "--delete-config", "retention.ms,segment.bytes")
        t.run("kafka-configs", "--describe", *of, ordered=False)
        t.run("kafka-configs", "--describe", "--entity-type", "topics", "--entity-name", "missing")


@case("configs: wrong settings are refused with Apache Kafka's words")
def refused_configs(world):
    with world.transcript("configs_refused") as t:
        of = ("--entity-type", "topics", "--entity-name", "refused")
        t.run("kafka-topics", "--create", "--topic", "refused")
        for setting in ("retention.ms=-2", "retention.ms=x", "no.such.key=1", "segment.bytes=1", "cleanup.policy=shred",
                        "compression.type=rar", "min.insync.replicas=0", "message.timestamp.type=Never", "max.message.bytes=-1",
                        "unclean.leader.election.enable=maybe", "min.compaction.lag.ms=-5"):
            t.run("kafka-configs", "--alter", *of, "--add-config", setting)
        t.run("kafka-configs", "--alter", *of, "--delete-config", "retention.ms")
        t.run("kafka-configs", "--alter", "--entity-type", "topics", "--entity-name", "missing", "--add-config", "retention.ms=1")
        t.run("kafka-configs", "--describe", *of)


@case("configs: a broker's settings, its own and the default for all")
def broker_configs(world):
    with world.transcript("configs_broker") as t:
        one = ("--entity-type", "brokers", "--entity-name", "1")
        every = ("--entity-type", "brokers", "--entity-default")
        t.run("kafka-configs", "--describe", *one, ordered=False)
        t.run("kafka-configs", "--describe", *every, ordered=False)
        t.run("kafka-configs", "--alter", *every, "--add-config", "log.retention.ms=7200000")
        t.run("kafka-configs", "--alter", *one, "--add-config", "log.segment.delete.delay.ms=30000")
        t.run("kafka-configs", "--describe", *one, ordered=False)
        t.run("kafka-configs", "--describe", *every, ordered=False)
        t.run("kafka-configs", "--alter", *one, "--add-config", "log.dirs=/elsewhere")
        t.run("kafka-configs", "--alter", *every, "--add-config", "log.retention.ms=never")
        t.run("kafka-topics", "--create", "--topic", "inherits")
        t.run("kafka-configs", "--describe", "--all", "--entity-type", "topics", "--entity-name", "inherits",
              keep="retention.ms=|file.delete.delay")
        t.run("kafka-configs", "--alter", *every, "--delete-config", "log.retention.ms")
        t.run("kafka-configs", "--alter", *one, "--delete-config", "log.segment.delete.delay.ms")
        t.run("kafka-configs", "--describe", *one, ordered=False)


@case("configs: groups and client metrics are described, altered and taken back as Apache Kafka answers")
def group_and_client_configs(world):
    with world.transcript("configs_groups") as t:
        of = ("--entity-type", "groups", "--entity-name", "configured")
        t.run("kafka-configs", "--describe", *of)
        t.run("kafka-configs", "--alter", *of, "--add-config", "consumer.session.timeout.ms=50000,share.isolation.level=read_committed")
        t.run("kafka-configs", "--describe", *of, ordered=False)
        t.run("kafka-configs", "--describe", "--all", *of, ordered=False)
        t.run("kafka-configs", "--alter", *of, "--add-config", "no.such.key=9")
        t.run("kafka-configs", "--alter", *of, "--delete-config", "consumer.session.timeout.ms,share.isolation.level")
        t.run("kafka-configs", "--describe", *of)
        of = ("--entity-type", "client-metrics", "--entity-name", "subscription")
        t.run("kafka-configs", "--alter", *of, "--add-config", "interval.ms=5000,metrics=org.apache.kafka.consumer.,match=[client_software_name=apache.*]")
        t.run("kafka-configs", "--describe", *of)
        t.run("kafka-client-metrics", "--list")
        t.run("kafka-configs", "--alter", *of, "--add-config", "interval.ms=5")
        t.run("kafka-configs", "--alter", *of, "--add-config", "match=[colour=red]")
        t.run("kafka-configs", "--alter", *of, "--delete-config", "interval.ms,metrics,match")
        t.run("kafka-client-metrics", "--list")

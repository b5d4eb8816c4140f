"""kafka-consumer-groups on a group without members: every way to reset offsets, and deleting."""
import datetime

from harness.clients import Record
from harness.runner import case

START = 1_700_000_000_000


def iso(milliseconds):
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03}Z"


@case("group tool: offsets are listed, reset in every way and deleted as in Apache Kafka")
def group_tool(world):
    from confluent_kafka import Consumer, TopicPartition
    world.create("tool", 2, retention_ms=-1)
    world.client("librdkafka").produce(world.bootstrap, "tool",
                                       [Record(None, b"x", partition=i % 2, timestamp=START + i * 1000) for i in range(40)])
    consumer = Consumer({"bootstrap.servers": world.bootstrap, "group.id": "tool-group"})
    consumer.commit(offsets=[TopicPartition("tool", 0, 7), TopicPartition("tool", 1, 12)], asynchronous=False)
    consumer.close()
    with world.transcript("group_tool") as t:
        group = ("--group", "tool-group")
        t.run("kafka-consumer-groups", "--describe", *group)
        t.run("kafka-consumer-groups", "--describe", *group, "--state")
        t.run("kafka-consumer-groups", "--describe", *group, "--members")
        t.run("kafka-consumer-groups", "--list", keep="^tool-group")
        reset = ("--reset-offsets", *group, "--topic", "tool")
        t.run("kafka-consumer-groups", *reset, "--to-earliest", "--dry-run")
        for how in (("--to-earliest",), ("--to-latest",), ("--shift-by", "-5"), ("--shift-by", "99"), ("--to-offset", "3"),
                    ("--to-offset", "999"), ("--to-datetime", iso(START + 10_500)), ("--to-datetime", iso(START + 999_000)),
                    ("--by-duration", "PT1S"), ("--to-current",)):
            t.run("kafka-consumer-groups", *reset, *how, "--execute")
        t.run("kafka-consumer-groups", "--reset-offsets", *group, "--topic", "tool:1", "--to-offset", "2", "--execute")
        t.run("kafka-consumer-groups", "--reset-offsets", *group, "--all-topics", "--to-latest", "--export", "--dry-run")
        t.run("kafka-consumer-groups", "--describe", *group)
        t.run("kafka-consumer-groups", "--reset-offsets", *group, "--topic", "missing", "--to-earliest", "--execute")
        t.run("kafka-consumer-groups", "--reset-offsets", "--group", "new-group", "--topic", "tool", "--to-earliest", "--execute")
        t.run("kafka-consumer-groups", "--describe", "--group", "new-group")
        t.run("kafka-consumer-groups", "--delete-offsets", *group, "--topic", "tool:0")
        t.run("kafka-consumer-groups", "--describe", *group)
        t.run("kafka-consumer-groups", "--delete", *group)
        t.run("kafka-consumer-groups", "--describe", *group)
        t.run("kafka-consumer-groups", "--describe", "--group", "no-such-group")
        t.run("kafka-consumer-groups", "--delete", "--group", "no-such-group")
        t.run("kafka-consumer-groups", "--list", keep="^tool-group|^new-group")

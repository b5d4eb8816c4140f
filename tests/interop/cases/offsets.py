"""Offsets by time and by name, and deleted records."""
import json
import tempfile

from harness.clients import Record
from harness.runner import case, equal

START = 1_700_000_000_000


@case("offsets: seeking by time finds the first record at or after it, for librdkafka, Java and kafka-python")
def by_time(world):
    from confluent_kafka import Consumer, TopicPartition
    from kafka import KafkaConsumer
    from kafka import TopicPartition as PythonPartition
    world.create("by-time", 1, segment_bytes=1048576, message_timestamp_before_max_ms=9223372036854775807, retention_ms=-1)
    records = [Record(None, b"x" * 5000, timestamp=START + i * 1000) for i in range(600)]
    world.client("librdkafka").produce(world.bootstrap, "by-time", records)
    consumer = Consumer({"bootstrap.servers": world.bootstrap, "group.id": "unused"})
    python = KafkaConsumer(bootstrap_servers=world.bootstrap)
    for at, wanted in ((0, 0), (START, 0), (START + 1, 1), (START + 123_000, 123), (START + 122_500, 123), (START + 599_000, 599),
                       (START + 599_001, None)):
        seen = consumer.offsets_for_times([TopicPartition("by-time", 0, at)], timeout=10)[0].offset
        equal(None if seen < 0 else seen, wanted, f"librdkafka: the offset at {at - START} ms")
        told = python.offsets_for_times({PythonPartition("by-time", 0): at})[PythonPartition("by-time", 0)]
        equal(told.offset if told else None, wanted, f"kafka-python: the offset at {at - START} ms")
        with_tool = world.tool("kafka-get-offsets", "--topic", "by-time", "--time", at).ok().strip()
        equal(with_tool, "" if wanted is None else f"by-time:0:{wanted}", f"kafka-get-offsets at {at - START} ms")
    consumer.close()
    python.close()


@case("offsets: kafka-get-offsets shows earliest, latest, largest timestamp and the others as Apache Kafka does")
def get_offsets(world):
    world.create("named-offsets", 3)
    world.client("librdkafka").produce(world.bootstrap, "named-offsets",
                                       [Record(None, b"x", partition=i % 2, timestamp=START + (i * 7) % 10) for i in range(10)])
    with world.transcript("offsets") as t:
        for time in ("-1", "-2", "-3", "-4", "-5", "latest", "earliest", "max-timestamp", str(START + 5)):
            t.run("kafka-get-offsets", "--topic", "named-offsets", "--time", time)
        t.run("kafka-get-offsets", "--topic", "named-offsets", "--partitions", "0,2")
        t.run("kafka-get-offsets", "--topic-partitions", "named-offsets:1-3")
        t.run("kafka-get-offsets", "--topic", "missing")
        t.run("kafka-get-offsets", "--topic", "named-offsets", "--partitions", "9")


@case("offsets: kafka-delete-records moves the log's start as in Apache Kafka, and refuses what it refuses")
def delete_records(world):
    world.create("shortened", 2)
    world.client("librdkafka").produce(world.bootstrap, "shortened", [Record(None, b"x", partition=i % 2) for i in range(20)])
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file, world.transcript("delete_records") as t:
        def delete(partition, offset):
            file.seek(0)
            file.truncate()
            json.dump({"version": 1, "partitions": [{"topic": "shortened", "partition": partition, "offset": offset}]}, file)
            file.flush()
            t.note(f"delete partition {partition} before {offset}")
            answer = world.tool("kafka-delete-records", "--offset-json-file", file.name)
            t.note(answer.out)

        delete(0, 4)
        delete(1, -1)
        delete(0, 2)
        delete(0, 99)
        t.run("kafka-get-offsets", "--topic", "shortened", "--time", "-2")
        t.run("kafka-get-offsets", "--topic", "shortened", "--time", "-1")
    got = world.client("librdkafka").consume(world.bootstrap, "shortened", 6)
    equal([r.offset for r in got], [4, 5, 6, 7, 8, 9], "what is left")

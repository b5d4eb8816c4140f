"""The clients of the suite behind two verbs, produce and consume (see tests/clients/README.md)."""
import base64
import json
import pathlib
import subprocess
import time

BUILT = pathlib.Path(__file__).resolve().parents[2] / "build" / "clients"
NODE_PROGRAM = BUILT / "node" / "client.js"
EVERY_CODEC = ("none", "gzip", "snappy", "lz4", "zstd")
DEADLINE_SECONDS = 30


class Record:
    """What a client writes or read; keys and values are bytes or None."""

    def __init__(self, key, value, headers=(), partition=None, timestamp=None, offset=None):
        self.key, self.value, self.headers = key, value, [tuple(h) for h in headers]
        self.partition, self.timestamp, self.offset = partition, timestamp, offset

    def content(self):
        return self.key, self.value, tuple(sorted(self.headers, key=repr))

    def to_json(self):
        return json.dumps({"p": self.partition, "t": self.timestamp, "k": b64(self.key), "v": b64(self.value),
                           "h": [[name, b64(value)] for name, value in self.headers]})

    @staticmethod
    def from_json(line):
        n = json.loads(line)
        return Record(unb64(n["k"]), unb64(n["v"]), [(name, unb64(value)) for name, value in n["h"]], n["p"], n["t"], n["o"])


def b64(data):
    return None if data is None else base64.b64encode(data).decode()


def unb64(text):
    return None if text is None else base64.b64decode(text)


class Program:
    """A client in another language: one process for each call."""

    def __init__(self, name, command, codecs=EVERY_CODEC, idempotent=True):
        self.name, self.command, self.codecs, self.idempotent = name, command, codecs, idempotent

    def call(self, verb, options, stdin=""):
        done = subprocess.run([*self.command, verb, json.dumps(options)], input=stdin, capture_output=True, text=True, timeout=90)
        if done.returncode:
            raise AssertionError(f"{self.name} {verb} {json.dumps(options)} failed:\n{done.stdout[-500:]}\n{done.stderr[-2000:]}")
        return done.stdout.splitlines()

    def produce(self, bootstrap, topic, records, codec="none", acks="all", idempotent=False):
        lines = self.call("produce", {"bootstrap": bootstrap, "topic": topic, "codec": codec, "acks": acks, "idempotent": idempotent},
                          "".join(r.to_json() + "\n" for r in records))
        return [(n["p"], n.get("o")) for n in map(json.loads, lines)]

    def consume(self, bootstrap, topic, count, group=None):
        lines = self.call("consume", {"bootstrap": bootstrap, "topic": topic, "count": count, "group": group})
        return [Record.from_json(line) for line in lines]


class Java(Program):
    def __init__(self, tools):
        super().__init__("java", None)
        self.tools = tools

    def call(self, verb, options, stdin=""):
        return self.tools.run("JavaClient", verb, json.dumps(options), stdin=stdin).ok().splitlines()


class Librdkafka:
    name = "librdkafka"
    codecs = EVERY_CODEC
    idempotent = True

    def produce(self, bootstrap, topic, records, codec="none", acks="all", idempotent=False):
        from confluent_kafka import Producer
        producer = Producer({"bootstrap.servers": bootstrap, "compression.type": codec, "acks": acks, "enable.idempotence": idempotent,
                             "linger.ms": 20, "partitioner": "murmur2_random", "message.max.bytes": 20_000_000})
        answers = [None] * len(records)

        def delivered(index):
            def note(error, message):
                answers[index] = error or (message.partition(), message.offset())
            return note

        for index, r in enumerate(records):
            more = {} if r.partition is None else {"partition": r.partition}
            if r.timestamp is not None:
                more["timestamp"] = r.timestamp
            producer.produce(topic, key=r.key, value=r.value, headers=list(r.headers), on_delivery=delivered(index), **more)
            producer.poll(0)
        producer.flush(DEADLINE_SECONDS)
        bad = [a for a in answers if not isinstance(a, tuple)]
        if bad:
            raise AssertionError(f"librdkafka could not produce {len(bad)} of {len(records)} records: {bad[0]}")
        return answers

    def consume(self, bootstrap, topic, count, group=None):
        from confluent_kafka import Consumer, TopicPartition
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group or "unused", "auto.offset.reset": "earliest",
                             "enable.auto.commit": False})
        if group:
            consumer.subscribe([topic])
        else:
            partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
        got = []
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(got) < count and time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is None:
                continue
            if message.error():
                raise AssertionError(f"librdkafka consumer: {message.error()}")
            got.append(Record(message.key(), message.value(), message.headers() or [], message.partition(), message.timestamp()[1],
                              message.offset()))
        if group:
            consumer.commit(asynchronous=False)
        consumer.close()
        return got


class KafkaPython:
    name = "kafka-python"
    codecs = EVERY_CODEC
    idempotent = True

    def produce(self, bootstrap, topic, records, codec="none", acks="all", idempotent=False):
        from kafka import KafkaProducer
        producer = KafkaProducer(bootstrap_servers=bootstrap, compression_type=None if codec == "none" else codec,
                                 acks=acks if acks == "all" else int(acks), enable_idempotence=idempotent, linger_ms=20,
                                 max_request_size=20_000_000)
        sent = [producer.send(topic, key=r.key, value=r.value, headers=list(r.headers), partition=r.partition, timestamp_ms=r.timestamp)
                for r in records]
        producer.flush(DEADLINE_SECONDS)
        answers = [f.get(timeout=DEADLINE_SECONDS) for f in sent]
        producer.close(5)
        return [(a.partition, a.offset) for a in answers]

    def consume(self, bootstrap, topic, count, group=None):
        from kafka import KafkaConsumer
        from kafka import TopicPartition
        consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False)
        if group:
            consumer.subscribe([topic])
        else:
            consumer.assign([TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic)])
        got = []
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(got) < count and time.monotonic() < deadline:
            for batch in consumer.poll(200, max_records=count - len(got)).values():
                got += [Record(r.key, r.value, r.headers, r.partition, r.timestamp, r.offset) for r in batch]
        if group:
            consumer.commit()
        consumer.close()
        return got


def every_client(tools):
    return [Librdkafka(), Java(tools), KafkaPython(), Program("franz-go", [str(BUILT / "franz-go")]),
            Program("kafkajs", ["node", str(NODE_PROGRAM)], codecs=("none", "gzip", "snappy"))]

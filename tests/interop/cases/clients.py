"""Every client writes, every client reads, in every codec."""
from harness.clients import EVERY_CODEC, Record
from harness.runner import case, check, equal

ODD_RECORDS = [
    Record(b"key", b"value"), Record(None, b"no key"), Record(b"no value", None), Record(b"", b"empty key"), Record(b"empty value", b""),
    Record(b"\x00\xff\x80", bytes(range(256))), Record(b"headers", b"v", [("a", b"1"), ("b", b""), ("c", b"\xc3\xa9")]),
    Record(b"large", b"0123456789" * 5000), Record("\u017dofie".encode(), "caf\u00e9 \u2615".encode()),
]


def contents(records):
    return sorted((r.content() for r in records), key=repr)


@case("clients: what each client writes in each codec, each client reads")
def every_pair(world):
    topics = {}
    for codec in EVERY_CODEC:
        for writer in world.clients:
            if codec not in writer.codecs:
                continue
            topic = f"pair-{codec}-{writer.name}"
            world.create(topic)
            places = writer.produce(world.bootstrap, topic, [Record(r.key, r.value, r.headers, 0) for r in ODD_RECORDS], codec)
            if writer.name != "kafkajs":
                equal(sorted(places), [(0, i) for i in range(len(ODD_RECORDS))], f"{writer.name} {codec}: the places that it was told")
            topics[topic] = (codec, writer)
    for topic, (codec, writer) in topics.items():
        for reader in world.clients:
            # Processes of other languages read one topic of each writer or codec: their start is what takes the time.
            if reader.name in ("kafkajs", "franz-go") and writer.name not in ("librdkafka", reader.name):
                continue
            if codec not in reader.codecs:
                continue
            got = reader.consume(world.bootstrap, topic, len(ODD_RECORDS))
            equal(contents(got), contents(ODD_RECORDS), f"{writer.name} wrote in {codec}, {reader.name} read")
            equal([r.offset for r in got], list(range(len(ODD_RECORDS))), f"{writer.name} wrote in {codec}, {reader.name} read: offsets")


@case("clients: acks 0, 1 and all, for every client")
def acknowledgements(world):
    for client in world.clients:
        topic = f"acks-{client.name}"
        world.create(topic)
        for acks in ("0", "1", "all"):
            client.produce(world.bootstrap, topic, [Record(b"k", f"{acks}-{i}".encode()) for i in range(10)], acks=acks)
        got = world.client("librdkafka").consume(world.bootstrap, topic, 30)
        equal(sorted(r.value for r in got), sorted(f"{a}-{i}".encode() for a in ("0", "1", "all") for i in range(10)), client.name)


@case("clients: each client's group commits, and the next one goes on from there")
def groups_of_each_client(world):
    world.create("handover", 1)
    total = 10 * len(world.clients)
    world.client("librdkafka").produce(world.bootstrap, "handover", [Record(None, str(i).encode()) for i in range(total + 5)])
    at = 0
    for client in world.clients:
        got = client.consume(world.bootstrap, "handover", 10, group="handover-group")
        check(len(got) >= 10 and got[0].offset == at, f"{client.name} read {len(got)} from {got[0].offset if got else None}, not from {at}")
        at = got[-1].offset + 1
        equal(committed(world, "handover-group", "handover"), at, f"the offset that {client.name} committed")


def committed(world, group, topic):
    from confluent_kafka import Consumer, TopicPartition
    consumer = Consumer({"bootstrap.servers": world.bootstrap, "group.id": group})
    offset = consumer.committed([TopicPartition(topic, 0)], timeout=10)[0].offset
    consumer.close()
    return offset


@case("clients: a record keeps its timestamp, and LogAppendTime gets the node's")
def timestamps(world):
    import time
    now = int(time.time() * 1000)
    world.create("create-time")
    world.create("append-time", message_timestamp_type="LogAppendTime")
    for client in world.clients:
        for topic in ("create-time", "append-time"):
            client.produce(world.bootstrap, topic, [Record(client.name.encode(), b"v", timestamp=now - 60_000)])
    for r in world.client("librdkafka").consume(world.bootstrap, "create-time", len(world.clients)):
        equal(r.timestamp, now - 60_000, f"the timestamp of {r.key}")
    for r in world.client("librdkafka").consume(world.bootstrap, "append-time", len(world.clients)):
        check(now <= r.timestamp <= now + 60_000, f"the append time of {r.key} is {r.timestamp - now} ms from the start")

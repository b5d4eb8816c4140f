"""Records at the limits, and beyond them."""
from confluent_kafka import KafkaException, Producer

from harness.clients import Record
from harness.runner import case, check, equal

BATCH_OVERHEAD = 61


def send_one(world, topic, value, **settings):
    """The error name of producing one record, or None; the client's own limit is out of the way."""
    said = []
    producer = Producer({"bootstrap.servers": world.bootstrap, "message.max.bytes": 100_000_000, "message.timeout.ms": 15000, **settings})
    producer.produce(topic, value=value, on_delivery=lambda error, message: said.append(error.name() if error else None))
    producer.flush(20)
    return said[0] if said else "no answer"


def largest_value(limit):
    """The size of the value that makes a batch of one record exactly `limit` bytes: a record's own fields take from 7 to 12 bytes."""
    def varint_size(n):
        n, size = n << 1, 1
        while n >= 128:
            n, size = n >> 7, size + 1
        return size

    value = limit - BATCH_OVERHEAD
    while True:
        body = 1 + 1 + 1 + 1 + varint_size(value) + value + 1
        if BATCH_OVERHEAD + varint_size(body) + body <= limit:
            return value
        value -= 1


@case("limits: a batch of exactly max.message.bytes is taken, one byte more is refused, with and without compression")
def exactly_at_the_limit(world):
    world.create("limit", max_message_bytes=100_000)
    size = largest_value(100_000)
    equal(send_one(world, "limit", b"v" * size), None, f"a value of {size} bytes")
    equal(send_one(world, "limit", b"v" * (size + 1)), "MSG_SIZE_TOO_LARGE", f"a value of {size + 1} bytes")
    equal(send_one(world, "limit", b"v" * 10_000_000, **{"compression.type": "zstd"}), None, "10 MB that compress to little")
    got = world.client("java").consume(world.bootstrap, "limit", 2)
    equal([len(r.value) for r in got], [size, 10_000_000], "the sizes that were read")


@case("limits: the default of max.message.bytes holds, and a record over fetch.max.bytes is still delivered")
def default_limit(world):
    world.create("default-limit")
    size = largest_value(1048588)
    equal(send_one(world, "default-limit", b"v" * size), None, f"a value of {size} bytes")
    equal(send_one(world, "default-limit", b"v" * (size + 1)), "MSG_SIZE_TOO_LARGE", f"a value of {size + 1} bytes")
    world.create("huge", max_message_bytes=8_000_000)
    for client in (world.client("librdkafka"), world.client("java")):
        client.produce(world.bootstrap, "huge", [Record(b"k", bytes([65 + i]) * 6_000_000) for i in range(2)])
    for client in world.clients:
        got = client.consume(world.bootstrap, "huge", 4)
        equal([len(r.value) for r in got], [6_000_000] * 4, f"the sizes that {client.name} read")


@case("limits: 10,000 small records in one batch, and 1,000 headers on one record")
def many_small(world):
    world.create("many")
    client = world.client("librdkafka")
    client.produce(world.bootstrap, "many", [Record(None, b"%d" % i) for i in range(10_000)], codec="lz4")
    client.produce(world.bootstrap, "many", [Record(None, b"headers", [(f"h{i}", b"%d" % i) for i in range(1000)])])
    got = world.client("java").consume(world.bootstrap, "many", 10_001)
    equal([r.value for r in got[:10_000]], [b"%d" % i for i in range(10_000)], "the small records")
    equal(got[10_000].headers, [(f"h{i}", b"%d" % i) for i in range(1000)], "the headers")


@case("limits: a timestamp too far ahead is refused")
def timestamp_too_far(world):
    import time
    world.create("ahead", message_timestamp_after_max_ms=60_000)
    said = []
    producer = Producer({"bootstrap.servers": world.bootstrap, "message.timeout.ms": 10000})
    for ahead in (10, 3600):
        producer.produce("ahead", b"v", timestamp=int(time.time() * 1000) + ahead * 1000,
                         on_delivery=lambda error, message: said.append(error.name() if error else None))
        producer.flush(15)
    equal(said, [None, "INVALID_TIMESTAMP"], "ten seconds and an hour ahead")


@case("limits: a compacted topic refuses a record without a key")
def compacted_needs_keys(world):
    world.create("compacted", cleanup_policy="compact")
    equal(send_one(world, "compacted", b"v"), "INVALID_RECORD", "a record without a key")
    world.client("java").produce(world.bootstrap, "compacted", [Record(b"k", b"v")])


@case("limits: a topic name of 249 characters works")
def longest_name(world):
    topic = "n" * 249
    world.create(topic)
    world.client("librdkafka").produce(world.bootstrap, topic, [Record(b"k", b"v")])
    check(len(world.client("java").consume(world.bootstrap, topic, 1)) == 1, "its record is read")


@case("limits: an unknown partition is refused")
def unknown_partition(world):
    world.create("two", 2)
    try:
        world.client("librdkafka").produce(world.bootstrap, "two", [Record(b"k", b"v", partition=9)])
    except (AssertionError, KafkaException) as error:
        check("UNKNOWN_PARTITION" in str(error).upper(), f"said {error}")
    else:
        raise AssertionError("partition 9 of 2 took a record")

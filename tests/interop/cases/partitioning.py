"""The same key goes to the same partition, whichever client writes it."""
from harness.clients import Record
from harness.runner import case, check, equal


@case("partitioning: the same key goes to the same partition for every client")
def same_key_same_partition(world):
    keys = [f"key-{i}".encode() for i in range(60)] + [b"", bytes(range(200)), "\u017dofie".encode()]
    places = {}
    for client in world.clients:
        topic = f"keys-{client.name}"
        world.create(topic, 7)
        # KafkaJS and kafka-python treat an empty key in their own way, which is no matter of the broker.
        mine = [k for k in keys if k or client.name in ("java", "librdkafka", "franz-go")]
        client.produce(world.bootstrap, topic, [Record(k, b"v") for k in mine])
        got = world.client("librdkafka").consume(world.bootstrap, topic, len(mine))
        equal(len(got), len(mine), f"records that {client.name} wrote")
        places[client.name] = {r.key: r.partition for r in got}
    for name, place in places.items():
        for key, partition in place.items():
            check(partition == places["java"][key], f"{name} put {key!r} on {partition}, Java on {places['java'][key]}")
    check(len(set(places["java"].values())) == 7, "63 keys do not reach all 7 partitions")


@case("partitioning: records of one key keep their order, for every client")
def order_of_one_key(world):
    for client in world.clients:
        topic = f"order-{client.name}"
        world.create(topic, 3)
        client.produce(world.bootstrap, topic, [Record(f"k{i % 5}".encode(), str(i).encode()) for i in range(500)])
        got = world.client("librdkafka").consume(world.bootstrap, topic, 500)
        for k in range(5):
            values = [int(r.value) for r in got if r.key == f"k{k}".encode()]
            equal(values, list(range(k, 500, 5)), f"{client.name}: the values of k{k}")

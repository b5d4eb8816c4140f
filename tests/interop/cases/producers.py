"""Idempotent producers."""
from harness.clients import Record
from harness.runner import case, equal


@case("producers: idempotent producers of every client write each record once and in order")
def idempotent(world):
    for client in world.clients:
        topic = f"idempotent-{client.name}"
        world.create(topic, 2)
        client.produce(world.bootstrap, topic, [Record(None, str(i).encode(), partition=i % 2) for i in range(2000)], codec="gzip", idempotent=True)
        got = world.client("librdkafka").consume(world.bootstrap, topic, 2000)
        for partition in (0, 1):
            equal([int(r.value) for r in got if r.partition == partition], list(range(partition, 2000, 2)), f"{client.name}: partition {partition}")


@case("producers: kafka-transactions describes the producers of a partition as Apache Kafka does")
def described(world):
    world.create("described")
    world.client("java").produce(world.bootstrap, "described", [Record(b"k", b"v")] * 3, idempotent=True)
    answer = world.tool("kafka-transactions", "describe-producers", "--topic", "described", "--partition", "0").ok()
    head, row = [line.split() for line in answer.strip().splitlines()]
    said = dict(zip(head, row))
    equal({k: said[k] for k in ("ProducerEpoch", "LatestCoordinatorEpoch", "LastSequence", "CurrentTransactionStartOffset")},
          {"ProducerEpoch": "0", "LatestCoordinatorEpoch": "-1", "LastSequence": "2", "CurrentTransactionStartOffset": "None"}, "the producer")


@case("producers: each gets a producer id of its own")
def own_ids(world):
    world.create("own-ids")
    for name in ("java", "librdkafka", "kafka-python", "java"):
        world.client(name).produce(world.bootstrap, "own-ids", [Record(b"k", b"v")], idempotent=True)
    answer = world.tool("kafka-transactions", "describe-producers", "--topic", "own-ids", "--partition", "0").ok()
    ids = [line.split()[0] for line in answer.strip().splitlines()[1:]]
    equal(len(set(ids)), 4, f"producer ids: {ids}")

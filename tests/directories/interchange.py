"""The directories of a node go from one to the other after moves: Moldau's to Apache Kafka, and back."""
from directories.moves import log_dirs, reassign, wait_until_done
from harness.clients import Librdkafka, Record
from harness.node import Node
from harness.runner import case, check, equal

TOPIC, PARTITIONS, RECORDS = "handed", 3, 300


def on(world, target, node):
    """Another node on the same folders and ports."""
    other = Node(target, node.folder, node.port, {k: v for k, v in node.properties.items()}, shards=world.shards)
    other.directories = node.directories
    return other


def places(world, node):
    return {name: sorted(entry["partitions"]) for name, entry in log_dirs(world, node, TOPIC).items()}


def move_all(world, node, number):
    reassign(world, node, {f"{TOPIC}-{p}": node.directories[number] for p in range(PARTITIONS)}, "execute").ok()
    wait_until_done(world, node)


def values(node, count):
    return sorted(r.key for r in Librdkafka().consume(node.bootstrap, TOPIC, count))


@case("interchange: Apache Kafka opens both directories after moves, moves back, and Moldau opens them again")
def there_and_back(world):
    client = Librdkafka()
    node = world.node("moldau", "handed")
    with node:
        node.start()
        world.tools.run("kafka-topics", "--bootstrap-server", node.bootstrap, "--create", "--topic", TOPIC, "--partitions", str(PARTITIONS)).ok()
        client.produce(node.bootstrap, TOPIC, [Record(b"%05d" % n, b"v" * 500, partition=n % PARTITIONS) for n in range(RECORDS)], idempotent=True)
        move_all(world, node, 1)
        before = places(world, node), values(node, RECORDS)
        node.stop()
    kafka = on(world, "kafka", node)
    with kafka:
        kafka.start()
        equal((places(world, kafka), values(kafka, RECORDS)), before, "what Apache Kafka shows of the directories")
        client.produce(kafka.bootstrap, TOPIC, [Record(b"%05d" % n, b"w" * 500, partition=n % PARTITIONS) for n in range(RECORDS, 2 * RECORDS)])
        move_all(world, kafka, 0)
        kafkas = places(world, kafka), values(kafka, 2 * RECORDS)
        kafka.stop()
    again = on(world, "moldau", node)
    with again:
        again.start()
        equal((places(world, again), values(again, 2 * RECORDS)), kafkas, "what Moldau shows of Apache Kafka's directories")
        offsets = client.produce(again.bootstrap, TOPIC, [Record(b"last", b"v", partition=0)])
        check(offsets[0][1] == 2 * RECORDS // PARTITIONS, f"the next record got {offsets[0]}")

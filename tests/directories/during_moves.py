"""What else happens to a partition while it moves: compaction, deletion of records, retention; and logs that transactions have written."""
import json
import random
import threading
import time

from directories.interchange import on
from directories.moves import log_dirs, place_of, reassign, wait_until_done
from harness.log_files import faults_in_files
from harness.runner import case, check, equal, eventually

QUIET = {"log_level": 0}


def create(world, node, topic, *configs, partitions=1):
    more = [word for config in configs for word in ("--config", config)]
    world.tools.run("kafka-topics", "--bootstrap-server", node.bootstrap, "--create", "--topic", topic, "--partitions", str(partitions), *more).ok()


def configure(world, node, kind, name, setting):
    world.tools.run("kafka-configs", "--bootstrap-server", node.bootstrap, "--alter", "--entity-type", kind, "--entity-name", name,
                    "--add-config", setting).ok()


def throttle(world, node, bytes_per_second):
    configure(world, node, "brokers", "1", f"replica.alter.log.dirs.io.max.bytes.per.second={bytes_per_second}")


def other_directory(world, node, partition):
    return next(d for d in node.directories if d.name != place_of(world, node, partition))


def read(node, topic, partition=0, isolation="read_uncommitted"):
    """[(offset, key, value)] from the beginning to the end that this isolation shows."""
    from confluent_kafka import Consumer, KafkaError, TopicPartition
    from crash.reading import asked
    consumer = Consumer({"bootstrap.servers": node.bootstrap, "group.id": "reader", "enable.auto.commit": False, "enable.partition.eof": True,
                         "isolation.level": isolation, "auto.offset.reset": "error", **QUIET})
    start = asked(lambda: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)[0])
    consumer.assign([TopicPartition(topic, partition, start)])
    found = []
    while True:
        message = consumer.poll(20)
        check(message is not None, f"{topic}-{partition} cannot be read to its end, {len(found)} records came")
        if message.error() and message.error().code() == KafkaError._PARTITION_EOF:
            consumer.close()
            return found
        check(not message.error(), f"{topic}-{partition}: {message.error()}")
        found.append((message.offset(), message.key(), message.value()))


def check_files(world, node):
    """The node stops; each partition lies once, and Apache Kafka has nothing to say against any file."""
    node.stop()
    names = [f.name for d in node.directories for f in d.glob("*-*") if f.is_dir() and not f.name.endswith("-delete")]
    equal(sorted(n for n in set(names) if names.count(n) > 1), [], "partitions that lie in two directories")
    equal([n for n in names if n.endswith(("-future", "-stray"))], [], "what is left of moves")
    for directory in node.directories:
        equal(faults_in_files(world.tools, directory), [], f"what kafka-dump-log says against {directory.name}")


class KeyedLoad(threading.Thread):
    """Writes and deletes keys, in a topic that is compacted, whatever happens to the node."""

    def __init__(self, node, topic, seed):
        super().__init__(daemon=True)
        self.node, self.topic, self.chance = node, topic, random.Random(seed)
        self.stopping, self.faults, self.latest, self.sent = threading.Event(), [], {}, 0

    def run(self):
        from confluent_kafka import Producer
        producer = Producer({"bootstrap.servers": self.node.bootstrap, "enable.idempotence": True, "acks": "all", "linger.ms": 3, "message.timeout.ms": 0,
                             "retry.backoff.ms": 20, "retry.backoff.max.ms": 100, "reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 50, **QUIET})
        while not self.stopping.is_set():
            key = b"%03d" % self.chance.randrange(300)
            value = None if self.chance.random() < 0.3 else b"%07d " % self.sent + b"x" * self.chance.randrange(1500)
            while True:
                try:
                    producer.produce(self.topic, value, key, on_delivery=lambda e, m: e and self.faults.append(str(e)))
                    break
                except BufferError:
                    producer.poll(0.02)
            self.latest[key], self.sent = value, self.sent + 1
            producer.poll(0)
            if self.sent % 20 == 0:
                time.sleep(0.005)
        if producer.flush(60):
            self.faults.append(f"{len(producer)} records were not answered within a minute")


@case("during moves: a compacted topic is cleaned, moves to and fro and is killed: the newest record of each key stays, what was deleted stays away")
def compacted(world):
    node = world.node("moldau", "compacted", log_cleaner_backoff_ms=100, log_cleaner_min_cleanable_ratio=0.01, log_segment_delete_delay_ms=200)
    with node:
        node.start()
        create(world, node, "keyed", "cleanup.policy=compact", "segment.bytes=1048576", "delete.retention.ms=300", "max.compaction.lag.ms=1000",
               "segment.ms=1000")
        load = KeyedLoad(node, "keyed", world.seed)
        load.start()
        moves = 0
        try:
            for number in range(world.rounds):
                time.sleep(load.chance.uniform(0.3, 1.5))
                reassign(world, node, {"keyed-0": other_directory(world, node, "keyed-0")}, "execute").ok()
                moves += 1
                if number % 4 == 1:
                    time.sleep(load.chance.uniform(0, 0.3))
                    node.kill()
                    node.start()
        finally:
            load.stopping.set()
        load.join(90)
        equal(load.faults, [], "what the producer was told")
        wait_until_done(world, node)
        configure(world, node, "topics", "keyed", "segment.ms=200")

        def contents():
            return {key: value for _, key, value in read(node, "keyed")}
        equal({k: v for k, v in contents().items() if v}, {k: v for k, v in load.latest.items() if v}, "the newest record of each key")
        records = read(node, "keyed")
        check(len(records) < load.sent // 2, f"{len(records)} of {load.sent} records are there: the log was hardly cleaned")
        print(f"    {moves} moves, {load.sent} records, of which {len(records)} were left")
        node.kill()
        node.start()
        equal({k: v for k, v in contents().items() if v}, {k: v for k, v in load.latest.items() if v}, "the newest record of each key after a kill")
        check_files(world, node)


@case("during moves: records are deleted by hand and by retention while the copy is under way, and stay deleted where the log lies then")
def shortened(world):
    from confluent_kafka import Producer
    node = world.node("moldau", "shortened", log_retention_check_interval_ms=300, log_segment_delete_delay_ms=200, log_initial_task_delay_ms=100,
                      log_flush_offset_checkpoint_interval_ms=500, log_flush_start_offset_checkpoint_interval_ms=500)
    with node:
        node.start()
        create(world, node, "short", "segment.bytes=1048576")
        producer = Producer({"bootstrap.servers": node.bootstrap, "enable.idempotence": True, "acks": "all", "linger.ms": 5, "batch.num.messages": 10, **QUIET})

        def write(first, count):
            failed = []
            for n in range(first, first + count):
                producer.produce("short", b"%06d" % n + b"x" * 2000, partition=0, on_delivery=lambda e, m: e and failed.append(e))
            equal((producer.flush(30), failed), (0, []), "records that were not taken")

        def start_of():
            return int(world.tools.run("kafka-get-offsets", "--bootstrap-server", node.bootstrap, "--topic", "short", "--time", "-2").ok().split(":")[2])

        def numbers():
            return [(offset, int(value[:6])) for offset, _, value in read(node, "short")]

        def check_contents(start, end, what):
            equal(start_of(), start, f"the log start {what}")
            equal(numbers(), [(n, n) for n in range(start, end)], f"the records {what}")

        write(0, 2000)
        target = other_directory(world, node, "short-0")
        throttle(world, node, 200_000)
        reassign(world, node, {"short-0": target}, "execute").ok()
        eventually(lambda: any(p[2] for p in log_dirs(world, node)[target.name]["partitions"].values()), "the copy is under way")
        # Inside of a segment, below and above what has been copied so far.
        for number, before in enumerate((100, 1100)):
            plan = node.folder / "delete.json"
            plan.write_text(json.dumps({"version": 1, "partitions": [{"topic": "short", "partition": 0, "offset": before}]}))
            world.tools.run("kafka-delete-records", "--bootstrap-server", node.bootstrap, "--offset-json-file", plan).ok()
            equal(start_of(), before, "the log start after records were deleted")
            write(2000 + 50 * number, 50)
        check(place_of(world, node, "short-0") != target.name, "the move was over before the records were deleted")
        throttle(world, node, 100_000_000)
        wait_until_done(world, node)
        equal(place_of(world, node, "short-0"), target.name, "where the log lies")
        check_contents(1100, 2100, "after the move")
        time.sleep(1.5)  # checkpoints
        node.kill()
        node.start()
        check_contents(1100, 2100, "after the move and a kill")

        # Retention, while it goes back.
        back = other_directory(world, node, "short-0")
        throttle(world, node, 200_000)
        reassign(world, node, {"short-0": back}, "execute").ok()
        configure(world, node, "topics", "short", "retention.bytes=1000000")
        kept_from = eventually(lambda: start_of() > 1100 and start_of(), "retention removes segments during the move", 20)
        write(2100, 50)
        check(place_of(world, node, "short-0") != back.name, "the move was over before retention came")
        throttle(world, node, 100_000_000)
        wait_until_done(world, node)
        equal(place_of(world, node, "short-0"), back.name, "where the log lies")
        start = start_of()
        check(start >= kept_from, f"the log began at {kept_from} and begins at {start}")
        check_contents(start, 2150, "after the move back")
        node.kill()
        node.start()
        check_contents(start, 2150, "after the move back and a kill")
        equal(log_dirs(world, node)[target.name]["partitions"], {k: v for k, v in log_dirs(world, node)[target.name]["partitions"].items()
                                                                   if not k.startswith("short-")}, "what is said to be left in the other directory")
        check_files(world, node)


def write_in_transactions(node):
    """Committed, aborted and idempotent batches of several producers in each partition; one transaction is left open in partition 2."""
    from confluent_kafka import Producer
    common = {"bootstrap.servers": node.bootstrap, "acks": "all", "linger.ms": 5, "batch.num.messages": 7, **QUIET}
    sent = 0
    for name in ("one", "two"):
        producer = Producer({**common, "transactional.id": name})
        producer.init_transactions(30)
        for number in range(12):
            producer.begin_transaction()
            for n in range(40):
                producer.produce("in-transactions", b"%s %05d" % (b"aborted" if number % 3 == 1 else b"committed", sent) + b"y" * 600, partition=n % 3)
                sent += 1
            producer.flush(30)
            producer.abort_transaction(30) if number % 3 == 1 else producer.commit_transaction(30)
    plain = Producer({**common, "enable.idempotence": True})
    for n in range(300):
        plain.produce("in-transactions", b"plain %05d" % n + b"z" * 600, partition=n % 3)
    equal(plain.flush(30), 0, "records without an answer")
    hanging = Producer({**common, "transactional.id": "open", "transaction.timeout.ms": 600000})
    hanging.init_transactions(30)
    hanging.begin_transaction()
    hanging.produce("in-transactions", b"open", partition=2)
    hanging.flush(30)
    for n in range(60):
        plain.produce("in-transactions", b"behind %05d" % n, partition=n % 3)
    equal(plain.flush(30), 0, "records without an answer")
    return hanging


@case("during moves: a log of transactions and idempotent producers, written by Apache Kafka, is the same in its new place, and to Apache Kafka again")
def transactions(world):
    kafka = world.node("kafka", "transactions", log_segment_bytes=1048576)

    def known(node):
        producers = {}
        for partition in range(3):
            said = world.tools.run("kafka-transactions", "--bootstrap-server", node.bootstrap, "describe-producers", "--topic", "in-transactions",
                                   "--partition", str(partition)).ok()
            # Id, epoch, latest coordinator epoch and last sequence, without the time of the last record.
            producers[partition] = sorted(tuple(line.split()[i] for i in (0, 1, 2, 3, 5)) for line in said.splitlines()[1:])
        return producers

    def everything(node):
        return {(p, isolation): read(node, "in-transactions", p, isolation) for p in range(3) for isolation in ("read_committed", "read_uncommitted")}

    with kafka:
        kafka.start()
        create(world, kafka, "in-transactions", partitions=3)
        hanging = write_in_transactions(kafka)
        before, producers = everything(kafka), known(kafka)
        kafka.stop()
    del hanging
    check(any(b"aborted" in v for _, _, v in before[0, "read_uncommitted"]) and not any(b"aborted" in v for _, _, v in before[0, "read_committed"]),
          "the transactions were not as planned")
    check(not any(b"behind" in v for _, _, v in before[2, "read_committed"]), "the open transaction holds nothing back")
    node = on(world, "moldau", kafka)
    with node:
        node.start()
        equal(everything(node), before, "the records before any move")
        for number in range(2):
            targets = {f"in-transactions-{p}": other_directory(world, node, f"in-transactions-{p}") for p in range(3)}
            reassign(world, node, targets, "execute").ok()
            wait_until_done(world, node)
            equal({p: place_of(world, node, p) for p in targets}, {p: d.name for p, d in targets.items()}, "where they lie")
            equal(everything(node), before, f"the records after move {number}")
            equal(known(node), producers, f"the producers after move {number}")
            node.kill()
            node.start()
            equal(everything(node), before, f"the records after move {number} and a kill")
            equal(known(node), producers, f"the producers after move {number} and a kill")
        check_files(world, node)
    again = on(world, "kafka", kafka)
    with again:
        again.start()
        equal(everything(again), before, "the records as Apache Kafka finds them")
        again.stop()

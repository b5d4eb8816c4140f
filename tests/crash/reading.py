"""Reads what a node holds and has the ledger compare it: for the tests in which a node loses its process or its disk."""
import time

from confluent_kafka import Consumer, KafkaException, TopicPartition


def read(node, topic, partitions, positions):
    """partition -> (start, high watermark, [(offset, (producer, number))]), from the given positions to the high watermark of now."""
    consumer = Consumer({"bootstrap.servers": node.bootstrap, "group.id": "reader", "enable.auto.commit": False, "log_level": 0,
                         "auto.offset.reset": "error"})
    ends = {p: asked(lambda p=p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=20)[1]) for p in range(partitions)}
    wanted = {p for p in range(partitions) if ends[p] > positions[p]}
    got = {p: (positions[p], ends[p], []) for p in range(partitions)}
    consumer.assign([TopicPartition(topic, p, positions[p]) for p in wanted])
    deadline = time.monotonic() + 60
    while wanted and time.monotonic() < deadline:
        for message in consumer.consume(1000, timeout=0.2):
            if message.error():
                raise AssertionError(f"reading failed: {message.error()}")
            if message.offset() >= ends[message.partition()]:
                continue
            producer, number, _ = message.value().split(b":", 2)
            got[message.partition()][2].append((message.offset(), (int(producer), int(number))))
            if message.offset() + 1 == ends[message.partition()]:
                wanted.discard(message.partition())
    consumer.close()
    if wanted:
        raise AssertionError(f"partitions {sorted(wanted)} could not be read to their ends within a minute")
    return got


def asked(question, seconds=20):
    """The answer to a question; a node that has just started may need a moment to lead its partitions and groups again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return question()
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def compare(node, topic, ledger, partitions, positions):
    """Reads on from `positions` (which it advances) and returns the faults."""
    acknowledged = ledger.acknowledged_so_far()
    faults = []
    for partition, (start, end, records) in read(node, topic, partitions, positions).items():
        faults += ledger.compare(partition, start, end, records, acknowledged)
        positions[partition] = end
    return faults


def offset_faults(node, topic, group, partitions, before, load):
    """The faults of the group's offsets: not behind what was acknowledged `before` the question, not beyond what was tried by now."""
    consumer = Consumer({"bootstrap.servers": node.bootstrap, "group.id": group, "log_level": 0})
    told = {t.partition: t.offset
            for t in asked(lambda: consumer.committed([TopicPartition(topic, p) for p in range(partitions)], timeout=20))}
    consumer.close()
    return [f"partition {p}: the group's offset is {told[p]}, acknowledged was {offset}" for p, offset in before.items()
            if not offset <= told[p] <= load.attempted[p]]

"""Segments that today's Kafka no longer writes: messages of magic 0 and 1, and offsets further apart than an index can say.

Apache Kafka makes the directory; the segments of two topics are put into it; then Apache Kafka and the node under test each open a copy
of their own and must show the same: records, offsets by time, the files that an orderly stop leaves.
"""
import gzip
import json
import pathlib
import shutil
import struct
import tarfile
import zlib

from harness.runner import case, check, equal

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors" / "kafka-4.3.1.tar.xz"
# Of batches.jsonl: what Kafka's readers take, one for a partition.
TAKEN = ("v0-none", "v0-gzip", "v0-snappy", "v0-lz4", "v1-none", "v1-gzip", "v1-snappy", "v1-lz4", "v1-append", "v1-gzip-append", "v1-gap",
         "mixed-magic", "v0-tail", "v0-gzip-wrapper", "v1-gzip-wrapper", "v1-inner-append-time")
EPOCH_MS = 1_750_000_000_000
FAR = 1 << 31
SEGMENT = "00000000000000000000"


def message(magic, offset, value, timestamp_ms=-1, attributes=0):
    times = struct.pack(">q", timestamp_ms) if magic else b""
    body = struct.pack(">bb", magic, attributes) + times + struct.pack(">ii", -1, len(value)) + value
    return struct.pack(">qiI", offset, len(body) + 4, zlib.crc32(body)) + body


def wrapped(magic, offsets, attributes=1):
    """Messages at these offsets in one compressed one; of magic 1 the inner offsets count from 0."""
    inner = b"".join(message(magic, o - offsets[0] if magic else o, b"inner %d" % o, EPOCH_MS + o) for o in offsets)
    return message(magic, offsets[-1], gzip.compress(inner, mtime=0), EPOCH_MS + offsets[-1], attributes)


def long_history():
    """Magic 0, then 1, plain and compressed, with a gap as compaction leaves it: long enough for indexes to have entries."""
    parts, offset = [], 0
    for magic in (0, 1):
        for turn in range(120):
            parts.append(message(magic, offset, b"plain %d " % offset + b"x" * 300, EPOCH_MS + offset))
            count = 2 + turn % 5
            parts.append(wrapped(magic, list(range(offset + 1, offset + 1 + count))))
            offset += 1 + count + (7 if turn == 60 else 0)
    return b"".join(parts)


def overflowing():
    return b"".join(message(1, o, b"at %d" % o, EPOCH_MS + i) for i, o in enumerate((0, 5, FAR - 1, FAR, FAR + 9))) \
        + wrapped(1, [2 * FAR + 3, 2 * FAR + 4])


def vector_bytes():
    with tarfile.open(VECTORS) as packed:
        name = next(n for n in packed.getnames() if n.endswith("batches.jsonl"))
        lines = (json.loads(line) for line in packed.extractfile(name))
        found = {line["case"]: bytes.fromhex(line["hex"]) for line in lines if line.get("case") in TAKEN}
    return [found[name] for name in TAKEN]


def seen_by_clients(node, topics):
    """Every record, the offsets by time and the first and last offsets of these {topic: partitions}."""
    from confluent_kafka import Consumer, TopicPartition
    from crash.reading import asked
    consumer = Consumer({"bootstrap.servers": node.bootstrap, "group.id": "reader", "enable.auto.commit": False, "log_level": 0,
                         "enable.partition.eof": True, "check.crcs": True})
    times = [EPOCH_MS - 1, *(EPOCH_MS + n for n in (0, 1, 2, 3, 5, 9, 10, 100, 500, 777, 1000, 1200, 5000))]
    places = [(topic, p) for topic, partitions in topics.items() for p in range(partitions)]
    seen = {place: {"by time": [], "records": []} for place in places}
    for place in places:
        seen[place]["start"], seen[place]["end"] = asked(lambda place=place: consumer.get_watermark_offsets(TopicPartition(*place), timeout=20))
    for t in times:
        for found in asked(lambda t=t: consumer.offsets_for_times([TopicPartition(*place, t) for place in places], timeout=20)):
            check(not found.error, f"{found.topic}-{found.partition}: {found.error}")
            seen[found.topic, found.partition]["by time"].append(found.offset)
    consumer.assign([TopicPartition(*place, seen[place]["start"]) for place in places])
    unread = set(places)
    while unread:
        got = consumer.poll(20)
        check(got is not None, f"no client gets to the end of {unread}")
        place = got.topic(), got.partition()
        if got.error() and got.error().name() == "_PARTITION_EOF":
            unread.discard(place)
            continue
        check(not got.error(), f"{place}: {got.error()}")
        seen[place]["records"].append((got.offset(), got.timestamp(), got.key(), got.value()))
    consumer.close()
    return seen


def files_of(data, topics):
    """Logs and indexes as an orderly stop leaves them."""
    return {str(f.relative_to(data)): f.read_bytes() for topic, partitions in topics.items() for p in range(partitions)
            for f in sorted((data / f"{topic}-{p}").iterdir()) if f.suffix in (".log", ".index", ".timeindex")}


def compare_on(world, was_stopped_in_order):
    from harness.node import Node
    topics = {"old": len(TAKEN) + 1, "far": 1}
    source = pathlib.Path(world.folder("old-source"))
    with Node("kafka", source, world.port) as kafka:
        kafka.start()
        for topic, partitions in topics.items():
            world.tools.run("kafka-topics", "--bootstrap-server", kafka.bootstrap, "--create", "--topic", topic, "--partitions", str(partitions),
                            "--config", "retention.ms=-1", "--config", "index.interval.bytes=1000").ok()
        kafka.stop()
    contents = {f"old-{p}": content for p, content in enumerate([*vector_bytes(), long_history()])} | {"far-0": overflowing()}
    for name, content in contents.items():
        folder = source / "data" / name
        for kind in ("index", "timeindex"):
            (folder / f"{SEGMENT}.{kind}").unlink()
        for snapshot in folder.glob("*.snapshot"):
            snapshot.unlink()
        (folder / f"{SEGMENT}.log").write_bytes(content)
    if not was_stopped_in_order:
        (source / "data" / ".kafka_cleanshutdown").unlink()

    seen, files = {}, {}
    for target in ("kafka", world.target):
        folder = pathlib.Path(world.folder(f"old-{target}"))
        shutil.copytree(source / "data", folder / "data")
        with Node(target, folder, world.port, shards=world.shards if target == "moldau" else None) as node:
            node.start()
            seen[target] = seen_by_clients(node, topics)
            node.stop()
        files[target] = files_of(folder / "data", topics)
    check(sum(len(s["records"]) for s in seen["kafka"].values()) > 1000, "Apache Kafka shows hardly any records")
    for name, wanted in seen["kafka"].items():
        for what, value in wanted.items():
            equal(seen[world.target][name][what], value, f"{name}: {what}")
    equal(sorted(files[world.target]), sorted(files["kafka"]), "the files after an orderly stop")
    for name, content in files["kafka"].items():
        check(files[world.target][name] == content, f"{name} differs: {files[world.target][name].hex()[:200]} where Kafka has {content.hex()[:200]}")


@case("old segments: magic 0 and 1 and offsets too far apart, found after SIGKILL")
def recovered(world):
    compare_on(world, was_stopped_in_order=False)


@case("old segments: the same found without indexes after an orderly stop")
def without_indexes(world):
    compare_on(world, was_stopped_in_order=True)

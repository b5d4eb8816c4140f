"""Topics that say in which codec their log is kept: compression.type, its levels, and LogAppendTime beside them."""
import re
import time

from harness.clients import EVERY_CODEC, Record
from harness.runner import case, check, equal

# Small ones, and enough of a batch that the node decodes and encodes it on another thread.
RECORDS = [Record(b"key", b"value", [("header", b"1"), ("none", None)], 0), Record(None, b"", [], 0), Record(b"", None, [], 0),
           *(Record(b"%d" % n, b"some text that compresses, number %d " % n * 400, [], 0) for n in range(40))]
KEPT = {"uncompressed": {}, "gzip": {"compression_gzip_level": 9}, "snappy": {}, "lz4": {"compression_lz4_level": 17},
        "zstd": {"compression_zstd_level": 6}}


def contents(records):
    return [(r.key, r.value, [(k, v) for k, v in r.headers]) for r in records]


def codecs_in_log(world, topic):
    said = world.tools.run("kafka-dump-log", "--files", world.node.data / f"{topic}-0" / ("0" * 20 + ".log")).ok()
    check("isvalid: true" in said and "isvalid: false" not in said, said)
    return set(re.findall(r"compresscodec: (\w+)", said))


@case("recompression: what comes in any codec is kept in the topic's, and every client reads it")
def every_codec_pair(world):
    writer = world.client("librdkafka")
    for kept, levels in KEPT.items():
        topic = f"kept-{kept}"
        world.create(topic, 1, compression_type=kept, **levels)
        for i, codec in enumerate(EVERY_CODEC):
            places = writer.produce(world.bootstrap, topic, RECORDS, codec, idempotent=i % 2 == 0)
            equal(sorted(places), [(0, i * len(RECORDS) + n) for n in range(len(RECORDS))], f"{codec} to {kept}: places")
        count = len(EVERY_CODEC) * len(RECORDS)
        for reader in world.clients:
            if kept in reader.codecs or kept == "uncompressed":
                got = reader.consume(world.bootstrap, topic, count)
                equal([r.offset for r in got], list(range(count)), f"kept in {kept}, {reader.name} read: offsets")
                equal(contents(got), contents(RECORDS) * len(EVERY_CODEC), f"kept in {kept}, {reader.name} read")
        equal(codecs_in_log(world, topic), {"none" if kept == "uncompressed" else kept}, f"codecs in the log of {topic}")


@case("recompression: with LogAppendTime every record has the time of the append")
def append_time(world):
    for kept in ("producer", "lz4", "uncompressed"):
        topic = f"appended-{kept}"
        world.create(topic, 1, compression_type=kept, message_timestamp_type="LogAppendTime")
        for codec in ("none", "zstd"):
            began = int(time.time() * 1000)
            records = [Record(r.key, r.value, r.headers, 0, timestamp=began - 86_400_000) for r in RECORDS]
            world.client("librdkafka").produce(world.bootstrap, topic, records, codec)
            ended = int(time.time() * 1000)
        got = world.client("kafka-python").consume(world.bootstrap, topic, 2 * len(RECORDS))
        equal(contents(got), contents(RECORDS) * 2, topic)
        late = [r.timestamp for r in got[len(RECORDS):]]
        check(all(began <= t <= ended for t in late), f"{topic}: times {min(late)} to {max(late)}, appended in {began} to {ended}")

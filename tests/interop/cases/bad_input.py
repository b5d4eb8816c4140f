"""What no client would send: strangers on the port, absurd frames, batches that are wrong. Apache Kafka's answers are the measure."""
import re
import struct
import time

from harness.runner import case, check, equal
from interop import raw

# What closes the connection, and the reason under which Moldau counts it.
HOSTILE = {
    "a TLS hello": (bytes.fromhex("16030100f8010000f40303") + bytes(200), "tls"),
    "an HTTP request": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "http"),
    "a size below zero": (struct.pack(">i", -7) + bytes(50), "frame_size"),
    "a size of 2^31 - 1": (struct.pack(">i", 2**31 - 1) + bytes(50), "frame_size"),
    "a size one above the limit": (struct.pack(">i", 104857601) + bytes(50), "frame_size"),
    "an empty frame": (struct.pack(">i", 0), "header"),
    "half a header": (struct.pack(">ihh", 4, 3, 9), "header"),
    "an API that no Kafka has": (raw.request(999, 0), "unknown_api"),
    "a negative API": (raw.request(-3, 0), "unknown_api"),
    "a version that is too new": (raw.request(raw.METADATA, 99), "unsupported_version"),
    "a version that is gone": (raw.request(raw.PRODUCE, 2), "unsupported_version"),
    "a client id longer than the frame": (struct.pack(">ihhih", 10, 3, 1, 1, 9999), "header"),
    "an array of 2^31 - 1 topics": (raw.request(raw.METADATA, 1, struct.pack(">i", 2**31 - 1)), "malformed_request"),
    "a topic name longer than the frame": (raw.request(raw.METADATA, 1, struct.pack(">ih", 1, 30000)), "malformed_request"),
    "a compact array of 2^32 - 2 topics": (raw.request(raw.METADATA, 12, b"\0" + b"\xff\xff\xff\xff\x0f"), "malformed_request"),
    "a varint without an end": (raw.request(raw.METADATA, 12, b"\0" + b"\xff" * 20), "malformed_request"),
    "a tagged field larger than the frame": (raw.request(raw.METADATA, 12, b"\0\1\0\0" + b"\1\0\xff\xff\xff\x7f"), "malformed_request"),
    "a Produce whose records are longer than the frame": (
        raw.request(raw.PRODUCE, 8, raw.string(None) + struct.pack(">hii", 1, 1000, 1) + raw.string("t") + struct.pack(">iii", 1, 0, 2**30)),
        "malformed_request"),
}


def refused(world):
    """Moldau's count of refusals by reason; nothing from Apache Kafka."""
    if world.node.target == "kafka":
        return {}
    return {reason: int(float(n)) for reason, n in re.findall(r'moldau_refused_total\{reason="(\w+)"\} (\S+)', world.node.http("/metrics"))}


def resident_bytes(world):
    pages = open(f"/proc/{world.node.process.pid}/statm").read().split()[1]
    return int(pages) * 4096


@case("bad input: strangers and absurd frames close their connection, are counted by reason, and others notice nothing")
def hostile_frames(world):
    with raw.Connection(world.node.port) as bystander:
        before = refused(world)
        for name, (frame, reason) in HOSTILE.items():
            counted = refused(world)
            equal(raw.ask(world.node.port, frame), None, f"{name}: the answer")
            if counted:
                grown = {r: n - counted[r] for r, n in refused(world).items() if n != counted[r]}
                equal(grown, {reason: 1}, f"{name}: what was counted")
            bystander.send(raw.request(raw.API_VERSIONS, 0))
            check(bystander.answer() is not None, f"{name}: another connection was closed too")
        if not before:
            return
        for _ in range(20):  # again and again: one line a reason, not twenty
            raw.ask(world.node.port, HOSTILE["a TLS hello"][0])
        said = world.node.log_file.read_text().splitlines()
        shards = world.node.shards or 2
        for text in ("TLS on a plaintext listener", "HTTP on a Kafka listener", "API key 999"):
            lines = [line for line in said if text in line]
            check(len(lines) <= shards, f"{len(lines)} lines about {text}")
        check(any("TLS on a plaintext listener" in line for line in said), "the log does not tell of TLS")


@case("bad input: ApiVersions of an unknown version is answered with the versions that there are")
def future_api_versions(world):
    content = struct.pack(">hhi", raw.API_VERSIONS, 77, 5) + raw.string("x") + b"\0" + b"\1\1\0"
    answer = raw.ask(world.node.port, struct.pack(">i", len(content)) + content)
    equal(struct.unpack_from(">ih", answer), (5, 35), "correlation and error")
    equal(struct.unpack_from(">i", answer, 6), (1,), "ranges")
    equal(struct.unpack_from(">hhh", answer, 10)[:1], (18,), "whose range")


@case("bad input: connections that announce 100 MB and send little hold little")
def announced_and_not_sent(world):
    if world.node.target == "kafka":
        return  # it reserves what is announced, and ends
    idle = [raw.Connection(world.node.port) for _ in range(100)]
    time.sleep(0.5)
    before = resident_bytes(world)
    for c in idle:
        c.send(struct.pack(">i", 100_000_000) + bytes(1000))
    time.sleep(1)
    grown = resident_bytes(world) - before
    answer = raw.ask(world.node.port, raw.request(raw.API_VERSIONS, 0))
    for c in idle:
        c.close()
    check(answer is not None, "the node does not answer")
    check(grown < 16 << 20, f"100 such connections took {grown >> 20} MB")


def bad_batches():
    two = [raw.record(b"a"), raw.record(b"b", offset_delta=1)]
    far = 1_900_000_000_000_000
    return {
        # Not here: null records, which Apache Kafka never answers.
        "nothing wrong": raw.batch(two), "no bytes": b"", "twenty bytes": bytes(20), "a wrong CRC": raw.batch(two, crc=1),
        "magic 0": raw.batch(two, magic=0), "magic 1": raw.batch(two, magic=1), "magic 3": raw.batch(two, magic=3), "magic -1": raw.batch(two, magic=-1),
        "a length of zero": raw.batch(two, length=0), "a length below zero": raw.batch(two, length=-5), "a length beyond the bytes": raw.batch(two, length=5000),
        "two batches": raw.batch(two) + raw.batch(two), "a base offset of 7": raw.batch(two, base_offset=7), "count too high": raw.batch(two, count=3),
        "count too low": raw.batch(two, count=1, last_delta=1), "count and last delta differ": raw.batch(two, last_delta=5),
        "count 0": raw.batch([], count=0, last_delta=0), "a negative count": raw.batch(two, count=-2, last_delta=1),
        "codec 5": raw.batch(two, attributes=5), "codec 7": raw.batch(two, attributes=7), "gzip that is none": raw.batch(two, attributes=1),
        "snappy that is none": raw.batch(two, attributes=2), "lz4 that is none": raw.batch(two, attributes=3), "zstd that is none": raw.batch(two, attributes=4),
        "half of a gzip": raw.batch(count=2, attributes=1, payload=raw.gzipped(two)[:20]),
        "gzip, count too high": raw.batch(count=5, attributes=1, payload=raw.gzipped(two)),
        "gzip, offsets that repeat": raw.batch(count=2, attributes=1, payload=raw.gzipped([raw.record(), raw.record()])),
        "a control batch": raw.batch(two, attributes=32), "a transactional batch": raw.batch(two, attributes=16, producer=(5, 0, 0)),
        "a record cut off": raw.batch(count=2, payload=two[0] + two[1][:3]), "a record with a size below zero": raw.batch(payload=raw.varint(-4) + bytes(10)),
        "a header count of a million": raw.batch([raw.record(headers=raw.varint(1_000_000))]), "a header count below zero": raw.batch([raw.record(headers=raw.varint(-1))]),
        "a timestamp far ahead": raw.batch(timestamp=far), "a timestamp below zero": raw.batch(timestamp=-5), "a max timestamp that lies": raw.batch(two, max_timestamp=5),
        "a producer without an epoch": raw.batch(producer=(7, -1, 0)), "a sequence below zero": raw.batch(producer=(7, 0, -1)),
        "1.2 MB": raw.batch([raw.record(b"x" * 1_200_000)]),
    }


# Apache Kafka answers -1 here, an exception that nobody foresaw; Moldau gives the code that fits.
CODE_BY_ACCIDENT = {"codec 5", "codec 7", "gzip that is none", "snappy that is none", "lz4 that is none", "zstd that is none", "half of a gzip",
                    "gzip, offsets that repeat"}


@case("bad input: batches that are wrong get Apache Kafka's error codes")
def wrong_batches(world):
    world.create("wrong", message_timestamp_after_max_ms=3600000)
    with world.transcript("wrong_batches") as t:
        for name, batch in bad_batches().items():
            said = raw.produce(world.node.port, "wrong", batch)
            if said and said.error and name in CODE_BY_ACCIDENT:
                t.note(f"{name}: an error")
            else:
                t.note(f"{name}: " + ("closed" if said is None else f"error {said.error}"))
        for acks in (2, -2):
            said = raw.produce(world.node.port, "wrong", raw.batch(), acks=acks)
            t.note(f"acks {acks}: error {said.error}")
        t.note(f"an unknown topic: error {raw.produce(world.node.port, 'not-there', raw.batch()).error}")
        t.note(f"an unknown partition: error {raw.produce(world.node.port, 'wrong', raw.batch(), partition=5).error}")
        world.tool("kafka-consumer-groups", "--describe", "--group", "makes-the-offsets-topic")
        t.note(f"an internal topic: error {raw.produce(world.node.port, '__consumer_offsets', raw.batch()).error}")
        t.run("kafka-get-offsets", "--topic", "wrong")


@case("bad input: a refusal's message names the limit and the key")
def messages(world):
    if world.node.target == "kafka":
        return
    world.create("named-limits", max_message_bytes=1000, message_timestamp_after_max_ms=1000)
    large = raw.produce(world.node.port, "named-limits", raw.batch([raw.record(b"x" * 2000)]))
    check("max.message.bytes" in (large.message or "") and "1000" in large.message, f"too large: {large.message}")
    early = raw.produce(world.node.port, "named-limits", raw.batch(timestamp=1_900_000_000_000_000))
    text = f"{early.message} {early.record_errors}"
    check("message.timestamp.after.max.ms" in text and "1000" in text, f"too far ahead: {text}")
    crc = raw.produce(world.node.port, "named-limits", raw.batch(crc=1))
    check("CRC" in (crc.message or ""), f"a wrong CRC: {crc.message}")


@case("bad input: a failed Produce with acks=0 closes the connection, for there is no answer that could tell")
def failed_without_answer(world):
    world.create("silent")
    with raw.Connection(world.node.port) as c:
        c.send(raw.produce_frame("silent", 0, raw.batch(), acks=0))
        c.send(raw.request(raw.API_VERSIONS, 0))
        check(c.answer() is not None, "a good one closes nothing")
        c.send(raw.produce_frame("silent", 0, raw.batch(crc=1), acks=0))
        c.send(raw.request(raw.API_VERSIONS, 0))
        equal(c.answer(), None, "the answer after a failed one")

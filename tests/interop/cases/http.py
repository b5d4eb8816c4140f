"""The HTTP port: health, readiness, and metrics that Prometheus can read and that count what happened."""
import re
import time
import urllib.error
import urllib.request

from harness.clients import Record
from harness.runner import case, check, equal, eventually
from interop import raw

LINE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*)\})? (-?[\d.e+-]+|[+-]Inf|NaN)$')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


def scrape(world):
    """(name, labels) -> value; an AssertionError where the text is not as Prometheus wants it."""
    kinds, values, closed, current = {}, {}, set(), None
    for line in world.node.http("/metrics").splitlines():
        if line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            check(name not in kinds, f"{name} has two TYPE lines")
            kinds[name] = kind
            continue
        if line.startswith("#"):
            check(re.match(r"# HELP [a-zA-Z_]\w* \S", line), f"a comment that is no HELP: {line}")
            continue
        match = LINE.match(line)
        check(match, f"no sample: {line}")
        name, labels = match[1], tuple(sorted(LABEL.findall(match[2] or "")))
        family = re.sub(r"_(bucket|sum|count)$", "", name) if name not in kinds else name
        check(family in kinds, f"{name} has no TYPE")
        check(kinds[family] != "counter" or family.endswith("_total"), f"the counter {family} does not end in _total")
        if family != current:
            check(family not in closed, f"the samples of {family} do not stand together")
            closed.add(family)
            current = family
        check((name, labels) not in values, f"twice: {line}")
        values[name, labels] = float(match[3])
    return values


def of(values, name, **labels):
    found = [v for (n, of_sample), v in values.items() if n == name and set(labels.items()) <= set(of_sample)]
    check(len(found) == 1, f"{len(found)} samples of {name} {labels}")
    return found[0]


@case("http: /health, /ready, and what is not there")
def paths(world):
    if world.node.target == "kafka":
        return
    equal((world.node.http("/health"), world.node.http("/ready")), ("ok\n", "ready\n"), "health and readiness")
    said = world.node.log_file.read_text()
    check(said.index("HTTP on ") < said.index(": ready"), "the port was not open while the node started")
    for method, path, wanted in (("GET", "/nothing", 404), ("POST", "/metrics", 405), ("GET", "/" + "x" * 10_000, 431)):
        request = urllib.request.Request(f"http://127.0.0.1:{world.node.port + 2}{path}", method=method)
        try:
            status = urllib.request.urlopen(request, timeout=5).status
        except urllib.error.HTTPError as error:
            status = error.code
        equal(status, wanted, f"{method} {path[:20]}")


@case("http: metrics count requests, bytes, records, sizes, groups and their lag")
def metrics(world):
    if world.node.target == "kafka":
        return
    from confluent_kafka import Consumer, TopicPartition
    world.create("measured-here", 2)
    before = scrape(world)
    an_hour_ago = int(time.time() * 1000) - 3600_000
    client = world.client("librdkafka")
    client.produce(world.bootstrap, "measured-here", [Record(b"k", b"v" * 100, partition=1, timestamp=an_hour_ago + i) for i in range(50)])
    client.produce(world.bootstrap, "measured-here", [Record(b"k", b"v", partition=1)])
    consumer = Consumer({"bootstrap.servers": world.bootstrap, "group.id": "measured-group"})
    consumer.commit(offsets=[TopicPartition("measured-here", 0, 0), TopicPartition("measured-here", 1, 20)], asynchronous=False)
    consumer.close()
    client.consume(world.bootstrap, "measured-here", 51)
    after = scrape(world)
    produces = ("moldau_requests_total", (("api", "Produce"),))
    check(after[produces] > before.get(produces, 0), "Produce was not counted")
    equal(of(after, "moldau_request_latency_seconds_count", api="Fetch"), of(after, "moldau_requests_total", api="Fetch"), "latencies and requests")
    check(("moldau_request_latency_seconds_bucket", (("api", "Fetch"), ("le", "+Inf"))) in after, "no +Inf bucket")
    at = {"topic": "measured-here", "partition": "1"}
    equal(of(after, "moldau_partition_records_total", **at), 51, "records")
    size = of(after, "moldau_log_size_bytes", **at)
    check(size > 5000, f"the log has {size} bytes")
    equal(of(after, "moldau_partition_received_bytes_total", **at), size, "bytes received")
    equal(of(after, "moldau_log_end_offset", **at), 51, "the end offset")
    group = {"group": "measured-group", "topic": "measured-here"}
    equal(of(after, "moldau_group_lag_records", partition="1", **group), 31, "lag in records")
    lag = of(after, "moldau_group_lag_seconds", partition="1", **group)
    check(3590 < lag < 3700, f"lag in seconds: {lag}")
    equal(of(after, "moldau_group_lag_seconds", partition="0", **group), 0, "lag in seconds where there is nothing to read")
    check(of(after, "moldau_connections") >= 0 and of(after, "process_resident_memory_bytes") > 1e6, "connections and memory")
    check(any(name == "moldau_refused_total" for name, _ in after), "refused input")
    world.tool("kafka-topics", "--delete", "--topic", "measured-here").ok()
    eventually(lambda: not any(("topic", "measured-here") in labels for _, labels in scrape(world)), "the topic's series are gone")


@case("http: bytes that a waiting fetch looked at and did not send are not counted")
def waiting_fetch(world):
    if world.node.target == "kafka":
        return
    import struct
    world.create("patient")
    at = {"topic": "patient", "partition": "0"}
    body = struct.pack(">iiiib", -1, 5000, 600, 1 << 20, 0) + struct.pack(">i", 1) + raw.string("patient") + struct.pack(">iiqi", 1, 0, 0, 1 << 20)
    with raw.Connection(world.node.port) as c:
        c.send(raw.request(1, 4, body))
        for _ in range(8):
            equal(raw.produce(world.node.port, "patient", raw.batch([raw.record(b"x" * 20)])).error, 0, "a produce")
            time.sleep(0.05)
        answer = c.answer()
    stored = of(scrape(world), "moldau_log_size_bytes", **at)
    sent = of(scrape(world), "moldau_partition_sent_bytes_total", **at)
    check(600 <= sent <= stored and len(answer) > sent, f"{sent} bytes were counted, the log has {stored}, the answer {len(answer)}")

"""Kafka's performance tools run to their end and count what they were asked to send and read."""
import re

from harness.runner import case, check, equal


@case("performance: kafka-producer-perf-test and kafka-consumer-perf-test")
def perf_tools(world):
    world.create("perf", 3)
    for acks, codec in (("1", "none"), ("all", "lz4")):
        said = world.tools.run("kafka-producer-perf-test", "--topic", "perf", "--num-records", "100000", "--record-size", "100",
                               "--throughput", "-1", "--bootstrap-server", world.bootstrap, "--command-property", f"acks={acks}",
                               f"compression.type={codec}").ok()
        equal(re.search(r"^(\d+) records sent", said.splitlines()[-1])[1], "100000", f"acks {acks}: {said}")
    said = world.tools.run("kafka-consumer-perf-test", "--topic", "perf", "--bootstrap-server", world.bootstrap, "--num-records", "200000",
                           "--group", "perf-group", "--timeout", "20000").ok()
    row = dict(zip(*([c.strip() for c in line.split(",")] for line in said.strip().splitlines()[-2:])))
    check(int(row["data.consumed.in.nMsg"]) >= 200_000, f"read {row}")

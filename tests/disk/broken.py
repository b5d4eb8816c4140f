"""A disk that takes no more writes."""
import shutil
import time

from disk.node_on_volumes import NodeOnVolumes
from harness.runner import case, check, equal, eventually

TOPIC, PARTITIONS = "spread", 6


def break_down(node, number):
    check(node.volumes[number].break_down(), "the file system could not be made to fail")


@case("broken: one directory of two: it goes offline, the other is served, also after a restart with the disk mended")
def one_of_two(world):
    with NodeOnVolumes(world, "one-of-two", volumes=2, size_mb=64) as node:
        metadata, data = (v.path / "data" for v in node.volumes)
        check((metadata / "__cluster_metadata-0").is_dir(), "the metadata does not lie in the first directory")
        # A record that is acknowledged is on the disk, not in the page cache, which goes with the file system.
        node.create(TOPIC, PARTITIONS, flush_messages=1)
        for partition in range(PARTITIONS):
            equal(node.produce_once(TOPIC, partition, b"before"), (0, None), f"a record for partition {partition}")
        lost = [p for p in range(PARTITIONS) if (data / f"{TOPIC}-{p}").is_dir()]
        check(0 < len(lost) < PARTITIONS, f"the partitions in the second directory are {lost}")

        break_down(node, 1)
        told = {p: node.produce_once(TOPIC, p, b"after") for p in range(PARTITIONS)}
        for partition, (offset, error) in told.items():
            if partition in lost:
                check(error in ("KAFKA_STORAGE_ERROR", "LEADER_NOT_AVAILABLE", "_MSG_TIMED_OUT", "NOT_LEADER_FOR_PARTITION"),
                      f"partition {partition} on the broken disk: offset {offset}, error {error}")
            else:
                equal((offset, error), (1, None), f"partition {partition} on the sound disk")
                equal(node.read_values(TOPIC, partition), [b"before", b"after"], f"partition {partition}")
        check(node.node.running(), "the node ended though one directory is sound")
        eventually(lambda: f"log directory {data} is offline" in node.node.said(200), "the node says which directory is offline", 10)
        node.create("later", 4)
        for partition in range(4):
            equal(node.produce_once("later", partition), (0, None), f"a new topic's partition {partition}")
        check(not list(data.glob("later-*")), "a new partition was placed in the offline directory")
        leaders = node.leaders(TOPIC)
        equal({p for p, leader in leaders.items() if leader == -1}, set(lost), "partitions without a leader")
        check("moldau_offline_log_directories 1" in node.node.http("/metrics"), "the metric says that one directory is offline")

        # The next start finds it as it is: what lies there waits, the rest is served, nothing is made anew in another place.
        node.node.kill()
        node.node.start()
        leaders = node.leaders(TOPIC)
        equal({p for p, leader in leaders.items() if leader == -1}, set(lost), "partitions without a leader after a start on the broken disk")
        check(not [p for p in lost if (metadata / f"{TOPIC}-{p}").exists()], "a log was made anew while its directory was away")
        for partition in set(range(PARTITIONS)) - set(lost):
            equal(node.read_values(TOPIC, partition), [b"before", b"after"], f"partition {partition} after the start")

        node.node.kill()
        node.volumes[1].mend()
        node.node.start()
        for partition in lost:
            values = node.read_values(TOPIC, partition)
            equal(values[:1], [b"before"], f"what was acknowledged before the failure, partition {partition}")
            equal(node.produce_once(TOPIC, partition, b"again"), (len(values), None), f"partition {partition} on the mended disk")


@case("broken: the only directory: nothing is acknowledged any more")
def the_only_one(world):
    with NodeOnVolumes(world, "only", size_mb=64) as node:
        node.create(TOPIC, 1)
        equal(node.produce_once(TOPIC, 0, b"before"), (0, None), "a record")
        break_down(node, 0)
        offset, error = node.produce_once(TOPIC, 0, b"after")
        check(error is not None, f"a record was acknowledged at {offset} by a disk that takes none")


@case("broken: a partition's directory is removed under the node")
def removed(world):
    with NodeOnVolumes(world, "removed", size_mb=64) as node:
        node.create(TOPIC, 2)
        for partition in range(2):
            equal(node.produce_once(TOPIC, partition, b"before"), (0, None), f"a record for partition {partition}")
        shutil.rmtree(node.volumes[0].path / "data" / f"{TOPIC}-0")
        time.sleep(0.2)
        for _ in range(3):
            node.produce_once(TOPIC, 0, b"x" * 600_000)  # until a segment has to be rolled in a directory that is not there
        check(node.node.running() or "offline" in node.node.said(200), f"the node ended without a word:\n{node.node.said()}")

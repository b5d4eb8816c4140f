"""A disk that fails while a partition moves to it, or away from it; and a failure that the controller cannot be told of."""
import json
import subprocess
import time

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from disk.broken import break_down
from disk.node_on_volumes import NodeOnVolumes
from harness.node import moldau_binary
from harness.runner import case, check, equal, eventually

TOPIC = "moving"
RECORDS = 400


class MovingNode(NodeOnVolumes):
    """Metadata on the first volume; "moving-0" with so many records of 4 kB, each of them on the disk, and where it lies."""

    def __init__(self, world, name, volumes, **properties):
        super().__init__(world, name, volumes, size_mb=64, properties={key.replace("_", "."): str(value) for key, value in properties.items()})

    def directory(self, number):
        return self.volumes[number].path / "data"

    def moldau(self, *words):
        return subprocess.run([str(moldau_binary()), *map(str, words), "--bootstrap-server", self.node.bootstrap, "--json"], capture_output=True,
                              text=True, timeout=60)

    def directories(self):
        """number -> (offline, the partitions of the topic there, those on their way there), as DescribeLogDirs says it."""
        said = self.moldau("directory", "list")
        equal(said.returncode, 0, f"directory list: {said}")
        found = {}
        for entry in json.loads(said.stdout):
            number = next(n for n in range(len(self.volumes)) if str(self.directory(n)) == entry["directory"])
            of_topic = [p for p in entry["partitions"] if p["topic"] == TOPIC]
            found[number] = (entry["offline"], sorted(p["partition"] for p in of_topic if not p["moving_here"]),
                             sorted(p["partition"] for p in of_topic if p["moving_here"]))
        return found

    def move(self, number):
        return self.moldau("directory", "move", TOPIC, "0", self.directory(number))

    def move_and_wait(self, number):
        equal(self.move(number).returncode, 0, f"asking for the move to {number}")
        eventually(lambda: self.directories()[number][1:] == ([0], []), f"the partition lies in {number}", 30)

    def set_rate(self, bytes_per_second):
        admin = AdminClient({"bootstrap.servers": self.node.bootstrap, "log_level": 0})
        resource = ConfigResource(ResourceType.BROKER, "1", incremental_configs=[
            ConfigEntry("replica.alter.log.dirs.io.max.bytes.per.second", str(bytes_per_second), incremental_operation=AlterConfigOpType.SET)])
        admin.incremental_alter_configs([resource])[resource].result(20)

    def prepare(self, source):
        self.create(TOPIC, 1, flush_messages=1)
        if self.directories()[source][1] != [0]:
            self.move_and_wait(source)
        self.values = []
        for n in range(RECORDS // 100):
            self.write(100)

    def write(self, count):
        from confluent_kafka import Producer
        failed = []
        producer = Producer({"bootstrap.servers": self.node.bootstrap, "acks": "all", "enable.idempotence": True, "linger.ms": 5, "log_level": 0})
        for _ in range(count):
            value = b"%06d " % len(self.values) + b"x" * 4000
            producer.produce(TOPIC, value, partition=0, on_delivery=lambda e, m: e and failed.append(e))
            self.values.append(value)
        equal((producer.flush(30), failed), (0, []), "records that were not taken")

    def begin_slow_move(self, target):
        self.set_rate(100_000)
        equal(self.move(target).returncode, 0, "asking for the move")
        eventually(lambda: self.directories()[target][2] == [0], "the partition is on its way", 10)

    def check_values(self, what):
        equal(len(self.read_values(TOPIC, 0)), len(self.values), f"how many records can be read {what}")
        equal(self.read_values(TOPIC, 0), self.values, f"what can be read {what}")

    def check_end(self, lies_in):
        """In order: where it lies, that it takes records, and that the next start finds the same."""
        self.write(20)
        self.check_values("in the end")
        equal({n: found for n, (_, found, _) in self.directories().items() if found}, {lies_in: [0]}, "where it lies")
        self.node.stop()
        equal([f.name for v in self.volumes for f in (v.path / "data").glob(f"{TOPIC}-*")
               if not f.name.endswith("-delete") and f.name != f"{TOPIC}-0"], [], "what is left of moves")
        self.node.start()
        self.check_values("after the next start")


@case("moving: the disk that a partition moves to fails: it is served where it lies, and moves once the disk is mended")
def target_fails(world):
    with MovingNode(world, "target", 2) as node:
        node.prepare(0)
        node.begin_slow_move(1)
        break_down(node, 1)
        eventually(lambda: node.directories()[1][0], "DescribeLogDirs says that the directory is offline", 15)
        node.write(50)
        node.check_values("after the target failed")
        equal(node.directories(), {0: (False, [0], []), 1: (True, [], [])}, "what DescribeLogDirs says")
        check("has ended with its directory" in node.node.said(200), "the node does not say what became of the move")
        check(node.move(1).returncode != 0, "a move to a directory that is offline was accepted")

        node.node.kill()
        node.node.start()
        node.check_values("after a start on the broken disk")
        equal(node.directories()[0][1], [0], "where it lies after a start on the broken disk")
        node.write(50)
        node.node.kill()
        node.volumes[1].mend()
        node.node.start()
        node.check_values("after a start on the mended disk")
        node.set_rate(100_000_000)
        node.move_and_wait(1)
        node.check_end(1)


@case("moving: the disk that a partition moves away from fails: it is offline, and no half copy takes its place, until the disk is mended")
def source_fails(world):
    with MovingNode(world, "source", 3) as node:
        node.prepare(1)
        node.begin_slow_move(2)
        break_down(node, 1)
        offset, error = node.produce_once(TOPIC, 0)
        check(error is not None, f"a record was acknowledged at {offset} by a disk that takes none")
        eventually(lambda: node.directories()[1][0], "DescribeLogDirs says that the directory is offline", 15)
        eventually(lambda: node.leaders(TOPIC)[0] == -1, "the partition has no leader", 10)
        equal(node.directories(), {0: (False, [], []), 1: (True, [], []), 2: (False, [], [])}, "what DescribeLogDirs says")

        node.node.kill()
        node.node.start()
        equal(node.leaders(TOPIC)[0], -1, "the leader after a start on the broken disk")
        check(node.produce_once(TOPIC, 0)[1] is not None, "a record was taken while the log is away")
        check(not any((node.directory(n) / f"{TOPIC}-0").exists() for n in (0, 2)), "a log was made, or a half copy taken, while the directory was away")

        node.node.kill()
        node.volumes[1].mend()
        node.node.start()
        node.check_values("after a start on the mended disk")
        node.set_rate(100_000_000)
        node.move_and_wait(2)
        node.check_end(2)


@case("moving: a directory fails and the controller cannot be told: the node ends after log.dir.failure.timeout.ms, or goes on if it can in time")
def untold(world):
    from confluent_kafka import KafkaException
    with MovingNode(world, "untold", 2, log_dir_failure_timeout_ms=4000) as node:
        for is_late in (False, True):
            if is_late:
                node.node.kill()
                node.volumes[1].mend()
                node.node.start()
            else:
                node.prepare(1)
            # Not one more record fits into the metadata log.
            node.volumes[0].fill()
            for number in range(4000):
                try:
                    node.set_rate(1_000_000 + number)
                except KafkaException:
                    break
            else:
                raise AssertionError("the metadata log takes records on a full disk")
            began = time.monotonic()
            break_down(node, 1)
            check(node.produce_once(TOPIC, 0, timeout_ms=2000)[1] is not None, "a record was acknowledged by a disk that takes none")
            if is_late:
                eventually(lambda: not node.node.running(), "the node ends", 15)
                check(time.monotonic() - began > 3, "the node did not wait for the timeout")
                equal(node.node.process.returncode, 1, "its exit code")
                check("the controller could not be told that a log directory has failed" in node.node.said(200), f"it says:\n{node.node.said(20)}")
                node.node.process = None
            else:
                node.volumes[0].make_room()
                eventually(lambda: node.leaders(TOPIC)[0] == -1, "the controller knows, once there is room", 8)
                time.sleep(5)
                check(node.node.running(), "the node ended though it could tell the controller in time")
        node.volumes[0].make_room()
        node.volumes[1].mend()
        node.node.start()
        node.check_values("in the end")

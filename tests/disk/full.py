"""A disk that fills up under load."""
import time

from crash.ledger import Ledger
from crash.load import Load
from crash.reading import compare, offset_faults
from disk.node_on_volumes import NodeOnVolumes
from harness.runner import case, check, equal, eventually

TOPIC, GROUP, PARTITIONS = "load", "load-group", 3


class Loaded(NodeOnVolumes):
    """A node with the crash test's load on it: idempotent producers that try again for ever, and a group that commits."""

    def __enter__(self):
        super().__enter__()
        try:
            self.create(TOPIC, PARTITIONS)
            self.ledger, self.positions = Ledger(), dict.fromkeys(range(PARTITIONS), 0)
            self.load = Load(self.node.bootstrap, TOPIC, GROUP, PARTITIONS, self.ledger, seed=1)
            self.load.start()
            self.wait_for_records()
        except BaseException:
            super().__exit__()
            raise
        return self

    def wait_for_records(self):
        eventually(lambda: sum(map(len, self.ledger.acknowledged_so_far().values())) > 500, "records are acknowledged")

    def __exit__(self, *unused):
        self.load.stopping.set()
        super().__exit__()

    def acknowledged(self):
        return sum(map(len, self.ledger.acknowledged_so_far().values()))

    def check_records(self):
        faults = compare(self.node, TOPIC, self.ledger, PARTITIONS, self.positions) + self.load.faults
        check(not faults, "\n".join(faults[:10]))

    def finish(self):
        """Ends the load; every record that was sent must be there, once and in order, now and after an orderly restart."""
        self.load.stop()
        self.check_records()
        equal(self.ledger.unread(), [], "records that were sent and are not there")
        self.node.stop()
        self.node.start()
        self.positions = dict.fromkeys(range(PARTITIONS), 0)
        faults = compare(self.node, TOPIC, self.ledger, PARTITIONS, self.positions)
        faults += offset_faults(self.node, TOPIC, GROUP, PARTITIONS, dict(self.load.committed), self.load)
        check(not faults, "\n".join(faults[:10]))

    def fill(self, leave_bytes=0):
        """Fills the disk and waits until no more records are taken."""
        self.volumes[0].fill(leave_bytes)

        def stands_still():
            before = self.acknowledged()
            time.sleep(4)  # a busy machine alone may hold them up for a second
            return self.acknowledged() == before
        eventually(stands_still, "the producers are held up by the full disk", 40)

    def make_room(self):
        self.volumes[0].make_room()
        before = self.acknowledged()
        eventually(lambda: self.acknowledged() > before + 200, "producers go on once there is room", 20)


@case("full: under load, producers are told and everything else goes on")
def nearly_full(world):
    with Loaded(world, "nearly") as node:
        node.fill(leave_bytes=3 << 20)
        _, error = node.produce_once(TOPIC, 0)
        equal(error, "KAFKA_STORAGE_ERROR", "what a producer without retries is told")
        node.check_records()
        equal(node.commit("another-group", TOPIC, 7), 7, "a group's offset on the full disk")
        node.create("made-on-a-full-disk", 2)
        check("moldau" in node.node.http("/metrics"), "no metrics")
        node.make_room()
        offset, error = node.produce_once("made-on-a-full-disk", 1)
        equal((offset, error), (0, None), "a record for the topic that was made meanwhile")
        node.finish()


@case("full: a stop and a start, orderly and by kill, while it is full")
def restarted(world):
    with Loaded(world, "restarted") as node:
        node.fill(leave_bytes=3 << 20)
        node.node.stop()
        node.node.start()
        node.check_records()
        node.node.kill()
        node.node.start()
        node.check_records()
        equal(node.commit("another-group", TOPIC, 7), 7, "a group's offset after the restarts")
        equal(node.produce_once(TOPIC, 0)[1], "KAFKA_STORAGE_ERROR", "what a producer is told after the restarts")
        node.make_room()
        node.finish()


@case("full: to the last byte, by somebody else")
def to_the_last_byte(world):
    with Loaded(world, "last-byte") as node:
        for _ in range(3):
            node.fill()
            equal(node.produce_once(TOPIC, 0)[1], "KAFKA_STORAGE_ERROR", "what a producer without retries is told")
            said = node.commit("another-group", TOPIC, 7)
            check(said in (7, "NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE"), f"a commit is told {said}")
            try:
                node.create("made-on-a-full-disk", 1)
            except Exception:
                pass  # refused or done: the node goes on either way
            node.check_records()
            node.make_room()
        equal(node.commit("another-group", TOPIC, 8), 8, "a group's offset, once there is room")
        node.create("made-later", 1)
        equal(node.produce_once("made-later", 0), (0, None), "a record for a new topic, once there is room")
        node.finish()


@case("full: killed on a disk without a byte left, it comes back with room and has everything")
def killed_at_the_last_byte(world):
    with Loaded(world, "killed") as node:
        node.fill()
        node.node.kill()
        node.volumes[0].make_room()
        node.node.start()
        node.finish()

"""kill -9 while partitions move to and fro under idempotent load: nothing is lost, doubled or out of order, and each partition lies once."""
import random
import shutil
import threading
import time

from directories.moves import reassign, wait_until_done
from harness.log_files import faults_in_files
from harness.runner import case, check, equal

TOPIC, GROUP, PARTITIONS = "moving", "moving-group", 4


def live_directories(node):
    """partition -> the directories that hold it under its own name."""
    return {p: [d.name for d in node.directories if (d / f"{TOPIC}-{p}").is_dir()] for p in range(PARTITIONS)}


class Mover(threading.Thread):
    """Asks for moves without a pause, as long as the node answers."""

    def __init__(self, world, node, chance):
        super().__init__(daemon=True)
        self.world, self.node, self.chance = world, node, chance
        self.stopping = threading.Event()
        self.asked = 0

    def run(self):
        while not self.stopping.is_set():
            partition, target = self.chance.randrange(PARTITIONS), self.chance.choice(self.node.directories)
            try:
                if reassign(self.world, self.node, {f"{TOPIC}-{partition}": target}, "execute", "--additional").code == 0:
                    self.asked += 1
            except AssertionError:
                time.sleep(0.1)  # the node is down


@case("kills: kill -9 in moves under idempotent load")
def kills(world):
    from confluent_kafka.admin import AdminClient, NewTopic
    from crash.ledger import Ledger
    from crash.load import Load
    from crash.reading import compare, offset_faults
    node = world.node("moldau", "kills", log_segment_bytes=1048576)
    ledger, chance = Ledger(), random.Random(world.seed)
    positions = dict.fromkeys(range(PARTITIONS), 0)
    load = mover = None
    with node:
        node.start()
        try:
            admin = AdminClient({"bootstrap.servers": node.bootstrap, "log_level": 0})
            admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(20)
            load = Load(node.bootstrap, TOPIC, GROUP, PARTITIONS, ledger, world.seed)
            load.start()
            mover = Mover(world, node, chance)
            mover.start()
            for number in range(world.rounds):
                time.sleep(chance.uniform(0.5, 3))
                node.kill()
                commits = dict(load.committed)
                node.start()
                faults = compare(node, TOPIC, ledger, PARTITIONS, positions) + offset_faults(node, TOPIC, GROUP, PARTITIONS, commits, load)
                check(not faults and not load.faults, f"round {number}: " + "\n".join((faults + load.faults)[:10]))
            mover.stopping.set()
            mover.join(60)
            load.stop()
            wait_until_done(world, node)
            faults = compare(node, TOPIC, ledger, PARTITIONS, positions) + load.faults
            check(not faults, "\n".join(faults[:10]))
            equal(ledger.unread(), [], "records that were sent and are not there")
            places = live_directories(node)
            check(all(len(where) == 1 for where in places.values()), f"a partition lies in no directory, or in two: {places}")
            print(f"    {world.rounds} kills, {mover.asked} moves were asked for")
            check(mover.asked > world.rounds // 2, "hardly a move was asked for")
            node.stop()
            for directory in node.directories:
                for old in directory.glob("*-delete"):
                    shutil.rmtree(old)  # closed as it was: nobody opens it again
                equal(faults_in_files(world.tools, directory), [], f"what kafka-dump-log says against {directory.name}")
        finally:
            if load:
                load.stopping.set()
            if mover:
                mover.stopping.set()

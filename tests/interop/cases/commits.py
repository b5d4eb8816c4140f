"""A consumer that is killed before or after its commit: what is lost and what is repeated follows from the order alone."""
import random

from harness.clients import Record
from harness.runner import case, check, equal, eventually
from interop.members import Member

RECORDS = 300


def killed_again_and_again(world, topic, commit):
    """What each of five successive members read until it was killed, and what it committed; the last one reads to the end."""
    world.create(topic, 1)
    world.client("librdkafka").produce(world.bootstrap, topic, [Record(None, str(i).encode()) for i in range(RECORDS)])
    chance = random.Random(7)
    lives, committed = [], -1
    for life in range(5):
        with Member(world, topic, topic, commit=commit, stall_seconds=0.002, group_instance_id="only", session_timeout_ms=30000) as member:
            if life < 4:
                wanted = chance.randrange(20, 60)
                eventually(lambda: len(member.records()) >= wanted, f"life {life} reads {wanted}")
            else:
                eventually(lambda: committed == RECORDS - 1 or (RECORDS - 1) in [o for _, o in member.said("committed")], "the end is reached")
            member.kill()
            lives.append(([o for _, o in member.records()], [o for _, o in member.said("committed")]))
            committed = max([committed, *lives[-1][1]])
    return lives


@case("commits: killed after processing and before the commit, a record is repeated and none is lost")
def commit_after(world):
    lives = killed_again_and_again(world, "commit-after", "after")
    read = [o for records, _ in lives for o in records]
    equal(sorted(set(read)), list(range(RECORDS)), "the records that were read at least once")
    for (records, commits), (following, _) in zip(lives, lives[1:]):
        # The commit of the last record may or may not have arrived: its answer was not seen.
        check(following[0] in (commits[-1] + 1, records[-1] + 1), f"a life ended at record {records[-1]}, commit {commits[-1]}, and the next "
              f"began at {following[0]}")


@case("commits: killed after the commit and before processing, a record is lost and none is repeated")
def commit_before(world):
    lives = killed_again_and_again(world, "commit-before", "before")
    read = [o for records, _ in lives for o in records]
    equal(len(read), len(set(read)), "records read (repeated ones)")
    missing = set(range(RECORDS)) - set(read)
    check(len(missing) <= 4, f"{len(missing)} lost in four kills: {sorted(missing)}")
    ends = {records[-1] for records, _ in lives}
    for lost in missing:
        check(lost - 1 in ends, f"{lost} was lost though no member was killed there")


@case("commits: without a commit, the group starts from the beginning each time")
def never_committed(world):
    world.create("commit-never", 1)
    world.client("librdkafka").produce(world.bootstrap, "commit-never", [Record(None, b"x")] * 5)
    for _ in range(2):
        with Member(world, "commit-never", "commit-never", group_instance_id="only") as member:
            eventually(lambda: len(member.records()) >= 5, "five are read")
            equal([o for _, o in member.records()], [0, 1, 2, 3, 4], "the offsets")

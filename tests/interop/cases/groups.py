"""Consumer groups: who owns what, and what happens when members come, die, stall and return."""
import contextlib
import json
import time

from harness.clients import Record
from harness.runner import case, equal, eventually
from interop.members import Member


def write(world, topic, count, partitions):
    world.client("librdkafka").produce(world.bootstrap, topic, [Record(None, str(i).encode(), partition=i % partitions) for i in range(count)])


def owners(members):
    return [m.owned() for m in members]


def settled(members, partitions):
    """Whether every partition has one owner."""
    owned = sum(owners(members), [])
    return sorted(owned) == list(range(partitions))


@case("groups: three consumers on three partitions, and a fourth takes over when one dies")
def fourth_takes_over(world):
    world.create("three", 3)
    write(world, "three", 30, 3)
    with contextlib.ExitStack() as stack:
        members = [stack.enter_context(Member(world, "three", "three-group", commit="after")) for _ in range(3)]
        eventually(lambda: settled(members, 3) and all(len(o) == 1 for o in owners(members)), "each of three owns one partition")
        eventually(lambda: sum(len(m.said("committed")) for m in members) >= 30, "the 30 records are committed")
        spare = stack.enter_context(Member(world, "three", "three-group", commit="after"))
        everyone = [*members, spare]
        eventually(lambda: spare.said("assigned") and settled(everyone, 3), "the fourth joined")
        time.sleep(1)
        victim = next(m for m in everyone if m.owned())
        idle = next(m for m in everyone if not m.owned())
        victim.kill()
        survivors = [m for m in everyone if m is not victim]
        eventually(lambda: settled(survivors, 3) and idle.owned(), "the idle one took over", 30)
        write(world, "three", 30, 3)
        eventually(lambda: len(set().union(*(m.records() for m in everyone))) == 60, "all 60 records were read")
        again = [r for i, m in enumerate(everyone) for r in m.records() if any(r in o.records() for o in everyone[:i])]
        equal(again, [], "records that two members read though they were committed")


@case("groups: cooperative members (Java) keep what need not move")
def cooperative_java(world):
    cooperative = {"partition.assignment.strategy": "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"}
    steps = scripted(world, "coop-java", 6, cooperative)
    equal(steps[0]["owned"], {"a": [0, 1, 2, 3, 4, 5]}, "a alone")
    equal(len(steps[1]["taken"]["a"]), 3, f"what b's coming took from a: {steps[1]}")
    equal(sorted(len(t) for t in steps[2]["taken"].values()), [0, 1, 1], f"what c's coming took: {steps[2]}")
    equal(sum(len(t) for t in steps[3]["taken"].values()), 0, f"what b's going took from those who stayed: {steps[3]}")


@case("groups: eager members (Java: range, round robin, sticky) share all partitions after each change")
def eager_java(world):
    for assignor in ("Range", "RoundRobin", "Sticky"):
        strategy = {"partition.assignment.strategy": f"org.apache.kafka.clients.consumer.{assignor}Assignor"}
        steps = scripted(world, f"eager-{assignor.lower()}", 4, strategy, [{"join": "a"}, {"join": "b"}, {"leave": "a"}])
        equal([sorted(len(o) for o in s["owned"].values()) for s in steps], [[4], [2, 2], [4]], f"{assignor}: {steps}")


def scripted(world, topic, partitions, settings, steps=({"join": "a"}, {"join": "b"}, {"join": "c"}, {"leave": "b"})):
    world.create(topic, partitions)
    options = {"bootstrap": world.bootstrap, "topic": topic, "group": topic, "partitions": partitions, "steps": list(steps),
               "settings": {"heartbeat.interval.ms": "300", **settings}}
    return [json.loads(line) for line in world.tools.run("JavaGroup", json.dumps(options)).ok().splitlines()]


@case("groups: cooperative members (librdkafka) keep what need not move")
def cooperative_librdkafka(world):
    world.create("coop-rd", 6)
    settings = {"partition.assignment.strategy": "cooperative-sticky"}
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(Member(world, "coop-rd", "coop-rd", **settings))
        eventually(lambda: settled([first], 6), "the first owns all")
        second = stack.enter_context(Member(world, "coop-rd", "coop-rd", **settings))
        eventually(lambda: settled([first, second], 6) and len(second.owned()) == 3, "two share")
        taken = sum(first.said("revoked"), [])
        equal(len(taken), 3, f"partitions taken from the first: {first.events}")
        equal(sorted(taken), second.owned(), "what the second owns is what was taken from the first")


@case("groups: a static member that returns in time gets its partitions back, and nobody else notices")
def static_member(world):
    world.create("static", 4)
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(Member(world, "static", "static", group_instance_id="one", session_timeout_ms=20000))
        eventually(lambda: settled([one], 4), "the first owns all")
        two = stack.enter_context(Member(world, "static", "static", group_instance_id="two", session_timeout_ms=20000))
        eventually(lambda: settled([one, two], 4) and len(two.owned()) == 2, "two share")
        owned, events = two.owned(), len(one.events)
        two.kill()
        back = stack.enter_context(Member(world, "static", "static", group_instance_id="two", session_timeout_ms=20000))
        eventually(lambda: back.owned() == owned, "it owns what it owned before", 10)
        time.sleep(1)
        equal(one.events[events:], [], "what the other member noticed")


@case("groups: a second member with the same static id fences the first")
def static_fencing(world):
    world.create("fenced", 2)
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(Member(world, "fenced", "fenced", group_instance_id="same"))
        eventually(lambda: settled([first], 2), "the first owns both")
        second = stack.enter_context(Member(world, "fenced", "fenced", group_instance_id="same"))
        eventually(lambda: settled([second], 2), "the second owns both")
        eventually(lambda: "_FATAL" in first.said("error") or first.process.poll() is not None, f"the first is fenced: {first.events}")


@case("groups: a member that stalls longer than max.poll.interval.ms loses its partitions to the others")
def stalled_member(world):
    world.create("stall", 2)
    write(world, "stall", 4, 2)
    with contextlib.ExitStack() as stack:
        # librdkafka leaves the group by itself when it is not polled in time.
        slow = stack.enter_context(Member(world, "stall", "stall", stall_seconds=300, max_poll_interval_ms=6000))
        eventually(lambda: slow.records(), "the slow one reads")
        quick = stack.enter_context(Member(world, "stall", "stall", commit="after"))
        eventually(lambda: quick.owned() == [0, 1], "the quick one owns both", 40)
        eventually(lambda: len(quick.records()) == 4, "the quick one read all")


@case("groups: fifty groups keep offsets of their own")
def fifty_groups(world):
    from confluent_kafka import Consumer, TopicPartition
    world.create("fifty", 2)
    write(world, "fifty", 200, 2)
    for i in range(50):
        consumer = Consumer({"bootstrap.servers": world.bootstrap, "group.id": f"fifty-{i:02}"})
        consumer.commit(offsets=[TopicPartition("fifty", 0, i), TopicPartition("fifty", 1, 100 - i)], asynchronous=False)
        consumer.close()
    with world.transcript("groups_fifty") as t:
        t.run("kafka-consumer-groups", "--describe", "--all-groups", "--offsets", ordered=False, keep="^fifty-")
        t.run("kafka-consumer-groups", "--list", ordered=False, keep="^fifty-")


@case("groups: records are read on after the group's topic grows")
def topic_grows(world):
    world.create("grows", 1)
    write(world, "grows", 5, 1)
    with Member(world, "grows", "grows", topic_metadata_refresh_interval_ms=1000) as member:
        eventually(lambda: len(member.records()) == 5, "the first five are read")
        world.tool("kafka-topics", "--alter", "--topic", "grows", "--partitions", "3").ok()
        write(world, "grows", 9, 3)
        eventually(lambda: len(set(member.records())) == 14, "those on the new partitions are read too")


@case("groups: the members, the state and the lag that kafka-consumer-groups shows while a group lives")
def described_alive(world):
    world.create("alive", 2)
    write(world, "alive", 10, 2)
    with Member(world, "alive", "alive", commit="after", client_id="watched") as member:
        eventually(lambda: len(member.said("committed")) == 10, "all is committed")
        write(world, "alive", 0, 2)
        with world.transcript("groups_alive") as t:
            t.run("kafka-consumer-groups", "--describe", "--group", "alive")
            t.run("kafka-consumer-groups", "--describe", "--group", "alive", "--members", "--verbose")
            t.run("kafka-consumer-groups", "--describe", "--group", "alive", "--state")
            t.run("kafka-consumer-groups", "--list", "--state", keep="^alive |GROUP")
            t.run("kafka-consumer-groups", "--reset-offsets", "--group", "alive", "--topic", "alive", "--to-earliest", "--execute")
            t.run("kafka-consumer-groups", "--delete", "--group", "alive")
            t.run("kafka-consumer-groups", "--delete-offsets", "--group", "alive", "--topic", "alive")

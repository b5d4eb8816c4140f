"""The moldau command where its output goes somewhere: into a full disk, or to a reader who leaves."""
import subprocess
import time

from harness.clients import Record
from harness.node import Node, moldau_binary
from harness.runner import case, check, equal


def consume(world, *args, stdout=subprocess.PIPE):
    return subprocess.run([moldau_binary(), "consume", "-b", world.bootstrap, *args], stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60)


@case("command: consume fails when its output cannot be written, and its group commits nothing that was not")
def full_output(world):
    world.create("to-nowhere")
    world.client("librdkafka").produce(world.bootstrap, "to-nowhere", [Record(None, b"x" * 100) for _ in range(3000)])
    with open("/dev/full", "w") as full:
        for more in (["-e"], ["-e", "-g", "into-the-full"]):
            done = consume(world, "to-nowhere", "--from-beginning", *more, stdout=full)
            equal(done.returncode, 1, f"the exit code of {more}: {done.stderr}")
            check("No space left" in done.stderr, f"{more} said {done.stderr}")
    done = consume(world, "to-nowhere", "--from-beginning", "-e", "-g", "into-the-full")
    equal((done.returncode, len(done.stdout.splitlines())), (0, 3000), f"what the group reads then: {done.stderr}")
    again = consume(world, "to-nowhere", "--idle", "4s", "-g", "into-the-full")
    equal((again.returncode, again.stdout), (0, ""), f"and after that: {again.stderr}")


@case("command: a reader who leaves ends consume without an error")
def reader_leaves(world):
    world.create("half-read")
    world.client("librdkafka").produce(world.bootstrap, "half-read", [Record(None, b"x" * 100) for _ in range(20000)])
    for more in ("", "-g half-read-group"):
        done = subprocess.run(f"set -o pipefail; {moldau_binary()} consume half-read -b {world.bootstrap} --from-beginning -n 20000 {more} | head -1",
                              shell=True, executable="/bin/bash", capture_output=True, text=True, timeout=60)
        equal((done.returncode, done.stdout, done.stderr), (0, "x" * 100 + "\n", ""), f"with {more or 'no group'}")


@case("command: a group that nobody can coordinate ends consume within its timeout, with a way out")
def no_coordinator(world):
    node = Node("moldau", world.node.folder / "no-coordinator", world.node.port + 10, {"offsets.topic.replication.factor": "3"})
    node.start()
    try:
        subprocess.run([moldau_binary(), "topic", "create", "t", "-b", node.bootstrap], check=True, stdout=subprocess.DEVNULL)
        started = time.monotonic()
        done = subprocess.run([moldau_binary(), "consume", "t", "-g", "g", "-e", "--timeout", "2s", "-b", node.bootstrap],
                              capture_output=True, text=True, timeout=60)
        check(time.monotonic() - started < 10, "it ends in time")
        equal((done.returncode, done.stdout), (1, ""), f"its exit code and output: {done.stderr}")
        check("COORDINATOR_NOT_AVAILABLE" in done.stderr and "offsets.topic.replication.factor=1" in done.stderr, done.stderr)
    finally:
        node.kill()

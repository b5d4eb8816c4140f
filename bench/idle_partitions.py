"""What a partition costs that nobody uses: memory, and time at the start of a node that has many. A case of bench/run.

Partitions are spread over topics of 1,000. Memory is the growth of the process's resident set from before they were made until it rests
after; then the node stops in order and the time of its next start, until it answers, is taken.
"""
import pathlib
import subprocess
import time

from harness.node import moldau_binary

TOPIC_PARTITIONS = 1000
RECORDS_PER_PARTITION = 6  # as keys fall, hardly a partition stays empty


def command(*words, stdin=None):
    done = subprocess.run([moldau_binary(), *words], input=stdin, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise SystemExit(f"bench: moldau {' '.join(words)} failed: {done.stderr}{done.stdout}")


def create(bootstrap, topic, partitions, settings=()):
    set_each = [word for setting in settings for word in ("--set", setting)]
    command("topic", "create", topic, "--partitions", str(partitions), *set_each, "--bootstrap-server", bootstrap)


def write_a_little(bootstrap, topic, partitions):
    lines = "".join(f"key-{n}:value\n" for n in range(partitions * RECORDS_PER_PARTITION))
    command("produce", topic, "--key-separator", ":", "--bootstrap-server", bootstrap, stdin=lines)


def resting_kb(pid, settle_seconds=3):
    time.sleep(settle_seconds)
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1])


def measure(node, partitions, settings=()):
    """The figures of a Node that was not started yet; its topics get `settings`."""
    node.start()
    try:
        create(node.bootstrap, "warm", 1)
        before_kb = resting_kb(node.process.pid)
        began = time.monotonic()
        for number in range(0, partitions, TOPIC_PARTITIONS):
            create(node.bootstrap, f"idle-{number // TOPIC_PARTITIONS}", min(TOPIC_PARTITIONS, partitions - number), settings)
        made = time.monotonic() - began
        after_kb = resting_kb(node.process.pid)
        node.stop(seconds=600)
        started = node.start(seconds=600)
        for number in range(0, partitions, TOPIC_PARTITIONS):
            write_a_little(node.bootstrap, f"idle-{number // TOPIC_PARTITIONS}", min(TOPIC_PARTITIONS, partitions - number))
        written_kb = resting_kb(node.process.pid)
        node.stop(seconds=600)
        started_with_records = node.start(seconds=600)
        restarted_kb = resting_kb(node.process.pid)
        return {"partitions": partitions, "kib_each": (after_kb - before_kb) / partitions, "made_seconds": made,
                "start_seconds": started, "kib_each_written": (written_kb - before_kb) / partitions,
                "start_with_records_seconds": started_with_records, "kib_each_after_start": (restarted_kb - before_kb) / partitions}
    finally:
        node.kill()

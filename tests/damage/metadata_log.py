"""A metadata log whose middle is damaged stops the start by name, with nothing changed."""
import pathlib
import struct

from harness.node import NodeFailed
from harness.runner import case, check, equal


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in sorted(pathlib.Path(folder).rglob("*")) if p.is_file() and p.name != ".lock"}


def refused(node):
    """What the node says as it does not start; what lies in its directory must stay."""
    before = contents(node.data)
    said = len(node.log_file.read_text())
    try:
        node.start(20)
    except NodeFailed:
        equal({str(p) for p, b in contents(node.data).items() if before.get(p) != b}, set(), "files that the refused start changed")
        equal(sorted(map(str, contents(node.data))), sorted(map(str, before)), "files after the refused start")
        return node.log_file.read_text()[said:]
    raise AssertionError("the node starts with a damaged metadata log")


def batches(file):
    data, position = file.read_bytes(), 0
    while position + 61 <= len(data):
        size = 12 + struct.unpack_from(">i", data, position + 8)[0]
        yield position, size
        position += size


@case("a metadata log that is damaged in its middle, or was written to by a newer release, stops the start, which names file and position")
def middle(world):
    with world.node("metadata") as node:
        node.start()
        for number in range(5):
            world.tools.run("kafka-topics", "--bootstrap-server", node.bootstrap, "--create", "--topic", f"topic-{number}", "--partitions", "2").ok()
        node.kill()
        file = node.data / "__cluster_metadata-0" / f"{0:020}.log"
        whole = file.read_bytes()
        found = list(batches(file))
        check(len(found) > 6, f"the metadata log has {len(found)} batches")
        position, size = found[len(found) // 2]
        for at, bit in ((position + size - 2, 1), (position + 10, 4), (position, 0x40)):
            damaged = bytearray(whole)
            damaged[at] ^= bit
            file.write_bytes(damaged)
            said = refused(node)
            check(str(file) in said and f"position {position}" in said and "Nothing was changed" in said, f"the start says:\n{said}")
        newer = bytearray(whole)
        newer[found[-1][0] + 16] = 3
        file.write_bytes(newer)
        said = refused(node)
        check(str(file) in said and f"position {found[-1][0]}" in said and "magic 3" in said, f"the start says:\n{said}")
        file.write_bytes(whole)
        node.start()
        topics = world.tools.run("kafka-topics", "--bootstrap-server", node.bootstrap, "--list").ok().split()
        equal([t for t in topics if t.startswith("topic-")], [f"topic-{n}" for n in range(5)], "the topics, once the file is as it was")
        node.stop()

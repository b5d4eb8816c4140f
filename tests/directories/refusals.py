"""Directories that are not this node's, or of no use to it: the node does not start, says which, by which key and what to do, and leaves
everything as it was."""
import os
import pathlib
import shutil
import subprocess

from harness.runner import case, check, equal

# A permission stops no root, a mount does; it ends with the process for which it was made.
READ_ONLY = 'for path in $READ_ONLY; do mount --bind "$path" "$path" && mount -o remount,bind,ro "$path" || exit 99; done; exec "$@"'


def listing(folder):
    """Everything below, with sizes and times."""
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        status = path.lstat()
        found[str(path.relative_to(folder))] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return found


def changes(before, after):
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def expect_refusal(node, what, sentence, read_only=(), code=1):
    """Starts it and waits for its end."""
    disks = node.directories[0].parent
    before = listing(disks)
    command, environment = node.command(), dict(os.environ)
    if read_only:
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", READ_ONLY, "sh", *command]
        environment["READ_ONLY"] = " ".join(map(str, read_only))
    ended = subprocess.run(command, cwd=node.folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    said = ended.stdout + ended.stderr
    check(ended.returncode == code, f"{what}: it ended with code {ended.returncode} and said:\n{said}")
    check(sentence in said, f"{what}: it does not say\n  {sentence}\nbut\n{said}")
    equal(changes(before, listing(disks)), [], f"{what}: what was changed")


def stopped_node(world, name, directories=2, **properties):
    """One that has served its directories and has stopped in order."""
    from confluent_kafka.admin import AdminClient, NewTopic
    node = world.node("moldau", name, directories, **properties)
    # Apart from what the harness writes.
    node.directories = [node.folder / "disks" / path.name for path in node.directories]
    node.directories[0].parent.mkdir()
    set_directories(node, node.directories)
    with node:
        node.start()
        admin = AdminClient({"bootstrap.servers": node.bootstrap, "log_level": 0})
        admin.create_topics([NewTopic("t", 4, 1)])["t"].result(20)
        node.stop()
    return node


def set_directories(node, paths):
    node.properties["log.dirs"] = ",".join(map(str, paths))


def cluster_of(directory):
    lines = (directory / "meta.properties").read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("cluster.id="))


def expect_start(node):
    with node:
        node.start()
        node.stop()


@case("refusals: directories of another node")
def of_another_node(world):
    node = stopped_node(world, "other-node")
    node.properties["node.id"] = "7"
    expect_refusal(node, "all of them", f"{node.directories[0]} belongs to node 1, but node.id is 7: name this node's own directory in log.dirs, "
                                        "or set node.id=1")
    new = node.directories[0].parent / "new"
    set_directories(node, [new, node.directories[1]])
    expect_refusal(node, "one behind a new one", f"{node.directories[1]} belongs to node 1, but node.id is 7")
    node.properties["node.id"] = "1"
    set_directories(node, node.directories)
    expect_start(node)


@case("refusals: directories of two clusters")
def of_another_cluster(world):
    node, other = stopped_node(world, "cluster"), stopped_node(world, "other-cluster")
    foreign = shutil.move(other.directories[0], node.directories[0].parent / "foreign")
    here, there = cluster_of(node.directories[0]), cluster_of(foreign)
    set_directories(node, [*node.directories, foreign])
    expect_refusal(node, "one of another cluster", f"{foreign} belongs to cluster {there}, but {node.directories[0]} to {here}: "
                                                   "name directories of one cluster in log.dirs")
    set_directories(node, node.directories)
    expect_start(node)


@case("refusals: one directory under two names")
def named_twice(world):
    node = stopped_node(world, "twice")
    first, second = node.directories
    link, new = first.parent / "link", first.parent / "new"
    link.symlink_to(first.name)
    # Seen in the configuration alone, it is a fault of that (code 2).
    for paths, names, code in (([new, first, second, first], f"log.dirs names {first} twice", 2),
                               ([new, first, f"{first}/"], f"log.dirs names {first} twice", 1),
                               ([new, first, second, link], f"log.dirs names one directory twice, as {first} and as {link}", 1),
                               ([link / "new", first / "new"], f"log.dirs names one directory twice, as {link}/new and as {first}/new", 1)):
        set_directories(node, paths)
        expect_refusal(node, names, f"{names}: name every directory once", code=code)
    set_directories(node, [new, first, second])
    node.properties["metadata.log.dir"] = str(link)
    expect_refusal(node, "the metadata's", f"metadata.log.dir: {link} is the directory that log.dirs names as {first}: set metadata.log.dir={first}")
    del node.properties["metadata.log.dir"]
    set_directories(node, node.directories)
    expect_start(node)


@case("refusals: directories that cannot be written")
def read_only(world):
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        print("    skipped: this machine allows no mount namespace")
        return
    node = stopped_node(world, "read-only")
    first, second = node.directories
    new = first.parent / "new"
    remedy = "Read-only file system: mount that disk so that it can be written, or take the directory out"
    expect_refusal(node, "all of them", f"log.dirs: cannot lock {first}/.lock: {remedy}", node.directories)
    # It holds the metadata.
    expect_refusal(node, "the first one", f"log.dirs: cannot lock {first}/.lock: {remedy}", [first])
    node.properties["metadata.log.dir"] = str(first)
    set_directories(node, [second, new])
    expect_refusal(node, "the metadata's beside one that is not there", f"metadata.log.dir: cannot lock {first}/.lock: {remedy}", [first])
    new.mkdir()
    expect_refusal(node, "the metadata's beside an empty one", f"metadata.log.dir: cannot lock {first}/.lock: {remedy}", [first])
    set_directories(node, [new, first])
    expect_refusal(node, "the metadata's behind an empty one", f"log.dirs: cannot lock {first}/.lock: {remedy}", [first])
    del node.properties["metadata.log.dir"]
    set_directories(node, [new])
    expect_refusal(node, "a new one", f"log.dirs: cannot lock {new}/.lock: {remedy}", [new])
    set_directories(node, node.directories)
    expect_start(node)

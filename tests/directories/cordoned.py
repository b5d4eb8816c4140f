"""cordoned.log.dirs: what Kafka's tools print and what is placed where, beside Apache Kafka."""
import re
import time

from directories.moves import log_dirs, reassign
from directories.tools import said
from harness.runner import case, equal, eventually


def errors(answer):
    """The exceptions' names and the exit code; the sentences are each node's own."""
    return sorted(set(re.findall(r"\w+Exception(?=:)", answer.out + answer.err))), answer.code


def story(world, target):
    told = []
    node = world.node(target, f"cordoned-{target}", cordoned_log_dirs="*", broker_heartbeat_interval_ms=100)
    with node:
        node.start()

        def topics(*words):
            return world.tools.run("kafka-topics", "--bootstrap-server", node.bootstrap, *words)

        def cordon(*words, entity=("--entity-name", "1")):
            answer = world.tools.run("kafka-configs", "--bootstrap-server", node.bootstrap, "--alter", "--entity-type", "brokers", *entity, *words)
            time.sleep(0.5)  # Apache Kafka's controller hears of it with a heartbeat some time later
            return answer

        def place(logs):
            """Where so many logs lie; Apache Kafka makes those of a topic after it has answered."""
            def look():
                found = {name: sorted(entry["partitions"]) for name, entry in log_dirs(world, node).items()}
                return found if sum(map(len, found.values())) == logs else None
            return eventually(look, f"{logs} logs lie in the directories of {target}")

        def create(topic):
            return said(topics("--create", "--topic", topic, "--partitions", "2"), node)

        first, second = node.directories
        told.append(("a topic where all directories are cordoned by the file", create("early")))
        told.append(("a directory that is none", errors(cordon("--add-config", f"cordoned.log.dirs={node.folder}/none"))))
        told.append(("all, and one by name", errors(cordon("--add-config", f"cordoned.log.dirs=[*,{first}]"))))
        told.append(("for all brokers", errors(cordon("--add-config", f"cordoned.log.dirs={first}", entity=("--entity-default",)))))
        told.append(("the second one", said(cordon("--add-config", f"cordoned.log.dirs={second}"), node)))
        told.append(("a topic where one is cordoned", create("one")))
        told.append(("where it lies", place(2)))
        told.append(("a move to it", said(reassign(world, node, {"one-0": second}, "execute"), node)))
        told.append(("all of them", said(cordon("--add-config", "cordoned.log.dirs=*"), node)))
        told.append(("partitions where all are cordoned", said(topics("--alter", "--topic", "one", "--partitions", "3"), node)))
        told.append(("none of them", said(cordon("--add-config", "cordoned.log.dirs="), node)))
        told.append(("a topic where none is cordoned", create("two")))
        told.append(("how many lie where", sorted(len(p) for p in place(4).values())))
        shown = world.tools.run("kafka-configs", "--bootstrap-server", node.bootstrap, "--describe", "--entity-type", "brokers", "--entity-name", "1", "--all")
        told.append(("what is shown of the key", [line for line in said(shown, node).splitlines() if "cordoned" in line]))
        told.append(("as in the file again", said(cordon("--delete-config", "cordoned.log.dirs"), node)))
        told.append(("a topic then", create("three")))
        node.stop()
        node.start()
        told.append(("a topic after a restart", create("four")))
    return told


@case("cordoned: what is refused and what is placed where, as with Apache Kafka")
def as_kafka(world):
    mine, kafkas = story(world, "moldau"), story(world, "kafka")
    for (what, here), (_, there) in zip(mine, kafkas):
        equal(here, there, what)

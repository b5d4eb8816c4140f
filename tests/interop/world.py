"""What an interop case works with: the running node, the clients, the tools, and what Apache Kafka answered to the same commands."""
import pathlib
import re

from harness import clients
from harness.runner import equal

NOISE = r"at |\.\.\. \d+ more|Caused by:|The consumer rebalance protocol \(KIP-848\)"
GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"


class World:
    def __init__(self, node, tools, record):
        self.node, self.tools, self.record = node, tools, record
        self.clients = clients.every_client(tools)
        self.bootstrap = node.bootstrap

    def client(self, name):
        return next(c for c in self.clients if c.name == name)

    def tool(self, name, *args, stdin=""):
        return self.tools.run(name, "--bootstrap-server", self.bootstrap, *args, stdin=stdin)

    def create(self, topic, partitions=1, **configs):
        more = [x for name, value in configs.items() for x in ("--config", f"{name.replace('_', '.')}={value}")]
        self.tool("kafka-topics", "--create", "--topic", topic, "--partitions", partitions, *more).ok()

    def transcript(self, name):
        return Transcript(self, name)

    def normalised(self, text):
        """The text without what differs from one run to the next: addresses, ids, times, folders."""
        text = text.replace(str(self.node.data), "DATA").replace(self.bootstrap, "BOOTSTRAP")
        text = text.replace(f"127.0.0.1:{self.node.port + 1}", "CONTROLLER")
        text = re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID", text)
        text = re.sub(r"(?<![A-Za-z0-9_-])(?=[A-Za-z0-9_-]*[A-Z0-9])[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])", "ID", text)
        text = re.sub(r"\b1[6-9]\d{11}\b", "TIME", text)
        text = re.sub(r"port: \d+|:{0}\b|(?<=127\.0\.0\.1 ){0}\b".format(self.node.port), "PORT", text)
        text = re.sub(r"\(org\.apache\.kafka[\w.$]*\)|\[\d{4}-\d\d-\d\d [\d:,]+\] ", "", text)
        # Why a value is wrong may be said in other words than Kafka's.
        text = re.sub(r"(Invalid value \S+ for configuration \S+): .*", r"\1", text)
        text = re.sub(r"x{40,}", lambda run: f"x*{len(run.group())}", text)
        text = re.sub(r"(?<=Configs: )\S+", lambda all: ",".join(sorted(re.split(r",(?=[a-z.]+=)", all.group()))), text)
        return "\n".join(re.sub(r"[ \t]+", " ", line).strip() for line in text.splitlines())


class Transcript:
    """Commands and the answers to them, compared at the end with what Apache Kafka answered (golden/NAME.txt)."""

    def __init__(self, world, name):
        self.world, self.name, self.lines = world, name, []

    def __enter__(self):
        return self

    def run(self, tool, *args, stdin="", ordered=True, keep=None, bootstrap=True):
        """Runs one command of a tool. `ordered` False: the lines come in any order. `keep`: a pattern of the lines that count."""
        first = ("--bootstrap-server", self.world.bootstrap) if bootstrap else ()
        answer = self.world.tools.run(tool, *first, *args, stdin=stdin)
        said = self.world.normalised(answer.out + "\n" + answer.err)
        lines = [line for line in said.splitlines() if line and not re.match(NOISE, line)]
        if keep:
            lines = [line for line in lines if re.search(keep, line)]
        if not ordered:
            lines = sorted(lines)
        shown = self.world.normalised(" ".join(map(str, args)))
        self.lines += [f"$ {tool} {shown}", *lines, f"[{answer.code}]", ""]
        return answer

    def note(self, text):
        self.lines += [self.world.normalised(text), ""]

    def __exit__(self, kind, *unused):
        if kind:
            return
        path = GOLDEN / f"{self.name}.txt"
        text = "\n".join(self.lines)
        if self.world.record:
            GOLDEN.mkdir(exist_ok=True)
            path.write_text(text)
            return
        if text != path.read_text():
            import difflib
            differences = difflib.unified_diff(path.read_text().splitlines(), text.splitlines(), "Apache Kafka", self.world.node.target,
                                               lineterm="", n=2)
            equal("\n".join(list(differences)[:60]), "", "the answers differ from Apache Kafka's")

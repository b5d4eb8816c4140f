"""Apache Kafka's command-line tools and our Java clients, run one after another in one JVM (see clients/java/ToolServer.java)."""
import json
import pathlib
import select
import subprocess

from harness import apache_kafka

CLASSES = pathlib.Path(__file__).resolve().parents[2] / "build" / "clients" / "java"

LONGEST_RUN_SECONDS = 120
JVM = ("-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class Answer:
    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err

    def ok(self):
        """Its output; an AssertionError where it failed."""
        if self.code:
            raise AssertionError(f"{self.command} ended with code {self.code}:\n{self.out}\n{self.err}"[:3000])
        return self.out


class Tools:
    def __init__(self):
        self.process = None

    def start(self):
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(apache_kafka.java("ToolServer", jvm=JVM, level="ERROR", classpath=[CLASSES]), text=True,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def run(self, main, *args, stdin=""):
        self.start()
        main_class = apache_kafka.TOOLS.get(main, main)
        try:
            self.process.stdin.write(json.dumps({"main": main_class, "args": [str(a) for a in args], "stdin": stdin}) + "\n")
            self.process.stdin.flush()
            ready, _, _ = select.select([self.process.stdout], [], [], LONGEST_RUN_SECONDS)
            line = self.process.stdout.readline() if ready else ""
        except BrokenPipeError:
            line = ""
        if not line:
            self.process.kill()
            self.process = None
            raise AssertionError(f"the JVM of the tools ended, or ran too long, in {main} {' '.join(map(str, args))}")
        said = json.loads(line)
        return Answer(" ".join([main, *map(str, args)]), said["exit"], said["out"], said["err"])

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

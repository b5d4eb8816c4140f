"""A node under test: Moldau or Apache Kafka, both from the same server.properties, each in a folder of its own.

    folder/server.properties   what both are started with
    folder/data                its log directory
    folder/node.log            what it said, over all its starts
"""
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import time
import urllib.request

from harness import apache_kafka

ROOT = pathlib.Path(__file__).resolve().parents[2]
API_VERSIONS_V0 = struct.pack(">ihhih", 10, 18, 0, 1, -1)

# A sanitizer's report (its exit code is ThreadSanitizer's), an assertion, and what the hardware refuses.
ENDED_BY_A_FAULT = (66, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGILL)


def moldau_binary():
    return pathlib.Path(os.environ.get("MOLDAU_BINARY", ROOT / "build" / "release" / "moldau"))


class NodeFailed(Exception):
    """The node ended, or did not come up in time."""


class Node:
    def __init__(self, target, folder, port, properties=None, shards=None, environment=None, jvm=apache_kafka.SMALL_JVM):
        self.target = target  # "moldau" or "kafka"
        self.folder = pathlib.Path(folder)
        self.port = port
        self.shards = shards
        self.jvm = jvm
        self.environment = environment or {}
        self.process = None
        self.folder.mkdir(parents=True, exist_ok=True)
        self.properties = {
            "process.roles": "broker,controller", "node.id": "1",
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{port + 1}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{port + 1}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER", "inter.broker.listener.name": "PLAINTEXT",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{port + 1}", "log.dirs": str(self.data),
            "offsets.topic.replication.factor": "1", "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1", "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1", "group.initial.rebalance.delay.ms": "0",
            "moldau.http.listener": f"127.0.0.1:{port + 2}",
        }
        self.properties.update(properties or {})

    @property
    def data(self):
        return self.folder / "data"

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    @property
    def properties_file(self):
        return self.folder / "server.properties"

    @property
    def log_file(self):
        return self.folder / "node.log"

    def command(self):
        """What starts it, once its folder holds what that needs."""
        self.data.mkdir(exist_ok=True)
        self.properties_file.write_text("".join(f"{k}={v}\n" for k, v in self.properties.items()))
        if self.target == "kafka":
            if not (pathlib.Path(self.properties["log.dirs"].split(",")[0]) / "meta.properties").exists():
                apache_kafka.format_directory(self.properties_file)
            return apache_kafka.java("kafka.Kafka", self.properties_file, jvm=self.jvm, level="INFO")
        return [str(moldau_binary()), "server", str(self.properties_file), *(["--override", f"moldau.shards={self.shards}"] if self.shards else [])]

    def start(self, seconds=120):
        """Starts it on what its folder holds and waits until it answers; returns the seconds that took."""
        assert self.process is None
        if self.answers():
            raise NodeFailed(f"something answers on port {self.port} already")
        command = self.command()
        started = time.monotonic()
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **self.environment}, start_new_session=True)
        while not self.answers():
            if self.process.poll() is not None:
                code, self.process = self.process.returncode, None
                raise NodeFailed(f"{self.target} ended with code {code} at its start; it said:\n{self.said()}")
            if time.monotonic() - started > seconds:
                self.kill()
                raise NodeFailed(f"{self.target} does not answer after {seconds} s; it said:\n{self.said()}")
            time.sleep(0.02 if self.target == "moldau" else 0.1)
        return time.monotonic() - started

    def answers(self):
        """Whether it answers an ApiVersions request without an error."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as s:
                s.sendall(API_VERSIONS_V0)
                s.settimeout(2)
                head = s.recv(10, socket.MSG_WAITALL)
                return len(head) == 10 and head[8:] == b"\0\0"
        except OSError:
            return False

    def stop(self, seconds=60):
        """Asks it to stop in order and waits; its exit code must be 0 (Apache Kafka: 143)."""
        code = self.end(signal.SIGTERM, seconds)
        if code not in (0, 143 if self.target == "kafka" else 0, -15 if self.target == "kafka" else 0):
            raise NodeFailed(f"{self.target} stopped with code {code}; it said:\n{self.said()}")

    def kill(self):
        """Ends it at once. One that had ended by a fault of its own meanwhile must not pass for killed."""
        code = self.end(signal.SIGKILL, 30)
        if code in ENDED_BY_A_FAULT:
            raise NodeFailed(f"{self.target} had ended with code {code} before it was killed; it said:\n{self.said(100)}")

    def end(self, sig, seconds):
        if self.process is None:
            return 0
        process, self.process = self.process, None
        process.send_signal(sig)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise NodeFailed(f"{self.target} did not end within {seconds} s after signal {sig}") from None

    def running(self):
        return self.process is not None and self.process.poll() is None

    def said(self, lines=30):
        if not self.log_file.exists():
            return ""
        text = self.log_file.read_text(errors="replace").splitlines()
        if self.target == "kafka":
            text = [line for line in text if re.search(r"\] (WARN|ERROR|FATAL) ", line)] or text
        return "\n".join(text[-lines:])

    def http(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port + 2}{path}", timeout=5) as answer:
            return answer.read().decode()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.kill()

"""Members of a consumer group as processes of their own (tests/clients/group_member.py), so that they can be killed."""
import json
import pathlib
import subprocess
import sys
import threading

PROGRAM = pathlib.Path(__file__).resolve().parents[1] / "clients" / "group_member.py"


class Member:
    def __init__(self, world, topic, group, commit="never", stall_seconds=0, **settings):
        options = {"bootstrap": world.bootstrap, "topic": topic, "group": group, "commit": commit, "stall_seconds": stall_seconds,
                   "settings": {name.replace("_", "."): value for name, value in settings.items()}}
        self.events = []
        self.process = subprocess.Popen([sys.executable, str(PROGRAM), json.dumps(options)], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            if line.endswith("\n"):
                self.events.append(json.loads(line))

    def said(self, what):
        return [e[what] for e in list(self.events) if what in e]

    def owned(self):
        """The partitions that it owns now."""
        owned = set()
        for event in list(self.events):
            owned |= set(event.get("assigned", ()))
            owned -= set(event.get("revoked", ()))
        return sorted(owned)

    def records(self):
        return [tuple(r) for r in self.said("record")]

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.kill()

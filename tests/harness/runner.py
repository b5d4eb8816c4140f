"""The suites' runner: cases are functions that raise when what they say does not hold.

A case is declared with @case("area: what it shows"). Cases run in the order of their declaration; each ends as passed or failed with its
reason, and the run ends with `NAME: N passed, N failed`.
"""
import fnmatch
import pathlib
import sys
import time
import traceback

CASES = []


class Case:
    def __init__(self, title, function):
        self.title = title
        self.function = function


def case(title):
    def declare(function):
        CASES.append(Case(title, function))
        return function
    return declare


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def equal(seen, wanted, what):
    if seen != wanted:
        raise AssertionError(f"{what}:\n  wanted {shortened(wanted)}\n  seen   {shortened(seen)}")


def shortened(value, characters=1500):
    text = repr(value) if not isinstance(value, str) else value
    return text if len(text) <= characters else text[:characters] + f"... ({len(text)} characters)"


def eventually(question, what, seconds=30):
    """Asks until the answer is true; returns it."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s it is still not so: {what}")
        time.sleep(0.1)


def run(name, world, patterns=(), report=None):
    """Runs the declared cases whose title contains one of the patterns; returns the process's exit code."""
    passed, failed, lines = 0, 0, []
    for each in CASES:
        if patterns and not any(p in each.title or fnmatch.fnmatch(each.title, p) for p in patterns):
            continue
        started = time.monotonic()
        try:
            each.function(world)
            passed += 1
            state = "ok    "
            reason = ""
        except Exception as error:  # every case reports, whatever went wrong in it
            failed += 1
            state = "FAILED"
            reason = f"{error}" if isinstance(error, AssertionError) else traceback.format_exc(limit=-4)
        print(f"{state} {time.monotonic() - started:5.1f} s  {each.title}", flush=True)
        if reason:
            print("    " + reason.rstrip().replace("\n", "\n    "), flush=True)
        lines.append(f"{state.strip()}\t{each.title}\n")
    if report:
        pathlib.Path(report).write_text("".join(lines))
    print(f"{name}: {passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


def use_client_environment():
    """Brings the clients and goes on in their Python environment."""
    import os
    import subprocess
    root = pathlib.Path(__file__).resolve().parents[2]
    python = root / "build" / "clients" / "python" / "bin" / "python"
    if pathlib.Path(sys.prefix) != python.parents[1]:
        if subprocess.run([root / "tests" / "clients" / "install"]).returncode:
            print("clients: 0 passed, 1 failed")
            sys.exit(1)
        os.execv(python, [str(python), *sys.argv])

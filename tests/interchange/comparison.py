"""How two pictures of a node (tests/clients/java/Capture.java) differ, and which differences are meant to be there."""
import pathlib
import re

ALLOWED = pathlib.Path(__file__).resolve().parent / "allowed_differences"


def differences(told, seen, path=""):
    """A line for each place where `seen` is not `told`; lists of named things are compared by name, others by position."""
    if type(told) is dict and type(seen) is dict:
        for key in sorted(told.keys() | seen.keys()):
            if key not in seen:
                yield f"{path}/{key}: gone, was {short(told[key])}"
            elif key not in told:
                yield f"{path}/{key}: new: {short(seen[key])}"
            else:
                yield from differences(told[key], seen[key], f"{path}/{key}")
    elif type(told) is list and type(seen) is list:
        name = next((n for n in ("name", "groupId", "memberId", "partition", "producerId", "offset")
                     if told and type(told[0]) is dict and n in told[0]), None)
        if name and not (name == "partition" and "topic" in told[0]):
            yield from differences({str(x[name]): x for x in told}, {str(x.get(name)): x for x in seen}, path)
        elif told != seen:
            yield f"{path}: {short(told)} -> {short(seen)}"
    elif told != seen:
        yield f"{path}: {short(told)} -> {short(seen)}"


def short(value):
    text = repr(value)
    return text if len(text) < 160 else text[:160] + "..."


def allowed_patterns():
    """The patterns of `allowed_differences`: each stands on a line of its own below its reason."""
    return [line for line in ALLOWED.read_text().splitlines() if line and not line.startswith("#")]


def unexpected(told, seen):
    patterns = [re.compile(p) for p in allowed_patterns()]
    return [d for d in differences(told, seen) if not any(p.search(d) for p in patterns)]

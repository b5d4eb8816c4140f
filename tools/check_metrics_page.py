#!/usr/bin/env python3
"""Compares the metrics that the sources name with those that docs/metrics.md names. usage: check_metrics_page.py SOURCES PAGE"""
import pathlib
import re
import sys

NAME = r"(?:moldau|process)_[a-z_]+"


def main():
    sources, page = map(pathlib.Path, sys.argv[1:])
    made = set()
    for path in sources.rglob("*"):
        if path.suffix in (".cc", ".h") and not path.stem.endswith("_test"):
            # With a sentence of its own behind it, or as a constant.
            made.update(re.findall(rf'"({NAME})",\s*(?:\.help = )?"', path.read_text()))
            made.update(re.findall(rf'constexpr const char\* \w+ = "({NAME})"', path.read_text()))
    told = set(re.findall(rf"`({NAME})`", page.read_text()))
    wrong = [f"{name} is not in {page}" for name in sorted(made - told)] + [f"{name} is in {page} and nowhere else" for name in sorted(told - made)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"metrics-page: {len(made & told)} passed, {len(wrong)} failed")
    sys.exit(1 if wrong else 0)


main()

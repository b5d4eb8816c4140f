#!/usr/bin/env python3
"""Turns schema/configs/* into C++ tables and into docs/configuration.md.

generate_configs.py tables SCHEMA_FOLDER HEADER   writes constexpr tables (the build does this)
generate_configs.py docs SCHEMA_FOLDER PAGE       writes the page for users
generate_configs.py check-docs SCHEMA_FOLDER PAGE fails if the page is not what `docs` would write

The notation stands at the top of schema/configs/broker. Standard library only.
"""
import pathlib
import re
import sys
from dataclasses import dataclass, field

TYPES = {"boolean": 1, "string": 2, "int": 3, "short": 4, "long": 5, "double": 6, "list": 7, "class": 8, "password": 9}
STANDINGS = ("effective", "none", "refused", "unbuilt")
UPDATES = {"read-only": "read_only", "per-broker": "per_broker", "cluster-wide": "cluster_wide"}
TABLES = ("broker", "broker_dynamic", "moldau", "topic", "group", "client_metrics", "user_client_quota", "ip_quota")
WITH_UPDATE = ("broker", "broker_dynamic", "moldau")


@dataclass
class Key:
    name: str
    type: str
    default: str | None  # null: None
    required: bool
    allowed: str
    importance: str
    update: str
    standing: str
    internal: bool = False
    synonyms: list = field(default_factory=list)
    broker: list = field(default_factory=list)  # (key, unit)
    note: str = ""


def read_table(folder, table):
    keys = []
    for number, line in enumerate((folder / table).read_text().splitlines(), 1):
        text, _, note = line.partition("#")
        words = text.split()
        if not words:
            continue
        where = f"{folder / table}:{number}"
        wanted = 7 if table in WITH_UPDATE else 6
        if len(words) < wanted:
            sys.exit(f"{where}: {len(words)} words, at least {wanted} are needed")
        name, kind, default, allowed, importance = words[:5]
        update = words[5] if table in WITH_UPDATE else "cluster-wide"
        standing, extras = words[wanted - 1], words[wanted:]
        if kind not in TYPES or standing not in STANDINGS or update not in UPDATES or importance not in ("high", "medium", "low"):
            sys.exit(f"{where}: a type, importance, update mode or standing that is none")
        key = Key(name, kind, None if default in ("null", "required") else "" if default == '""' else default,
                  default == "required", allowed, importance, update, standing, note=note.strip())
        for extra in extras:
            if extra == "internal":
                key.internal = True
            elif extra.startswith("synonyms="):
                key.synonyms = extra[9:].split(",")
            elif extra.startswith("broker="):
                key.broker = [(k.partition(":")[0], k.partition(":")[2] or "same") for k in extra[7:].split(",")]
            else:
                sys.exit(f"{where}: {extra} means nothing")
        keys.append(key)
    if [k.name for k in keys] != sorted(k.name for k in keys):
        sys.exit(f"{folder / table}: the keys are not in order")
    if len({k.name for k in keys}) != len(keys):
        sys.exit(f"{folder / table}: a key stands there twice")
    return keys


def read_removed(folder):
    lines = [l.split(None, 2) for l in (folder / "removed").read_text().splitlines() if l and not l.startswith("#")]
    return sorted(tuple(l) for l in lines)


def cpp_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def array_of_texts(arrays, texts):
    if not texts:
        return "{}"
    body = ", ".join(cpp_text(t) for t in texts)
    if body not in arrays:
        arrays[body] = f"texts_{len(arrays)}"
    return arrays[body]


def allowed_cpp(arrays, allowed, where):
    special = {"any": "any", "text": "non_empty_text", "present": "non_null", "voters": "quorum_voters",
               "bootstrap-servers": "bootstrap_servers", "throttled-replicas": "throttled_replicas",
               "offset-reset": "offset_reset"}
    if allowed in special:
        return f"{{.kind = Allowed::Kind::{special[allowed]}}}"
    if m := re.fullmatch(r"(-?[\d.]+?)\.\.(-?[\d.]*)(?:\|(-?\d+))?", allowed):
        parts = [".kind = Allowed::Kind::range", f".minimum = {float(m[1])!r}"]
        if m[2]:
            parts.append(f".maximum = {float(m[2])!r}")
        if m[3]:
            parts.append(f".also = {m[3]}")
        return "{" + ", ".join(parts) + "}"
    if m := re.fullmatch(r"(i?)\{(.+)\}", allowed):
        kind = "one_of_in_any_case" if m[1] else "one_of"
        return f"{{.kind = Allowed::Kind::{kind}, .choices = {array_of_texts(arrays, m[2].split('|'))}}}"
    if m := re.fullmatch(r"\[(.+)\](\+?)(\??)", allowed):
        choices = [] if m[1] == "any" else m[1].split("|")
        return (f"{{.kind = Allowed::Kind::list_of, .choices = {array_of_texts(arrays, choices)}, "
                f".empty_list = {'false' if m[2] else 'true'}, .null = {'true' if m[3] else 'false'}}}")
    sys.exit(f"{where}: {allowed} says nothing about what is allowed")


def write_tables(folder, header):
    arrays, synonyms, tables = {}, [], []
    for table in TABLES:
        rows = []
        for k in read_table(folder, table):
            broker = "{}"
            if k.broker:
                broker = f"broker_keys_{len(synonyms)}"
                synonyms.append(f"inline constexpr BrokerSynonym {broker}[] = {{" + ", ".join(
                    f"{{{cpp_text(n)}, TimeUnit::{u}}}" for n, u in k.broker) + "};")
            default = "std::nullopt" if k.default is None else cpp_text(k.default)
            rows.append(
                f"    {{.name = {cpp_text(k.name)}, .type = ConfigType::{k.type}_, .default_value = {default}, "
                f".required = {str(k.required).lower()}, .allowed = {allowed_cpp(arrays, k.allowed, k.name)}, "
                f".importance = Importance::{k.importance}, .update_mode = UpdateMode::{UPDATES[k.update]}, "
                f".standing = Standing::{k.standing}, .internal = {str(k.internal).lower()}, "
                f".synonyms = {array_of_texts(arrays, k.synonyms)}, .broker_keys = {broker}, .note = {cpp_text(k.note)}}},")
        tables.append(f"inline constexpr ConfigKey {table}_table[] = {{\n" + "\n".join(rows) + "\n};\n")
    removed = "\n".join(f"    {{{cpp_text(n)}, Standing::{'unbuilt' if s == 'unbuilt' else 'none'}, {cpp_text(t)}}},"
                        for n, s, t in read_removed(folder))
    lines = ["// Generated from schema/configs by tools/generate_configs.py: change those.", "#pragma once", "",
             '#include "metadata/config/config_key.h"', "", "namespace moldau::metadata::generated {", ""]
    lines += [f"inline constexpr std::string_view {name}[] = {{{body}}};" for body, name in arrays.items()]
    lines += synonyms + [""] + tables
    lines += [f"inline constexpr RemovedKey removed_table[] = {{\n{removed}\n}};", "", "}  // namespace moldau::metadata::generated", ""]
    header.parent.mkdir(parents=True, exist_ok=True)
    header.write_text("\n".join(lines))


def allowed_words(key):
    a = key.allowed
    if a == "any" or a == "[any]":
        return {"boolean": "true, false", "list": "a list", "class": "a Java class name"}.get(key.type, "any " + key.type)
    if m := re.fullmatch(r"(-?[\d.]+?)\.\.(-?[\d.]*)(?:\|(-?\d+))?", a):
        return (f"{m[1]} to {m[2]}" if m[2] else f"at least {m[1]}") + (f", or {m[3]}" if m[3] else "")
    if m := re.fullmatch(r"(i?)\{(.+)\}", a):
        return ", ".join(m[2].split("|")) + (" (in any case)" if m[1] else "")
    if m := re.fullmatch(r"\[(.+)\](\+?)(\??)", a):
        return ("list" if m[1] == "any" else "list of " + ", ".join(m[1].split("|"))) + (", not empty" if m[2] else "")
    return {"text": "non-empty string", "present": "any string", "voters": "ID@HOST:PORT,…", "bootstrap-servers": "HOST:PORT,…",
            "throttled-replicas": "PARTITION:BROKER,… or *", "offset-reset": "latest, earliest, by_duration:PnDTnHnMn.nS"}[a]


STANDING_WORDS = {"effective": "effective", "none": "no effect here", "refused": "only the default",
                  "unbuilt": "not built: stops the start"}
SECTIONS = (
    ("moldau", "Moldau's own keys", "Apache Kafka ignores these, so one file serves both."),
    ("broker", "Node", "The keys of `server.properties`. *Update* tells who can change a key while the node runs."),
    ("broker_dynamic", "Broker, while it runs", "Set with `kafka-configs --entity-type brokers`, never in a file."),
    ("topic", "Topic", "*Default from* names the node's keys that set the default for topics without an override."),
    ("group", "Group", "*Default from* names the node's key that sets the default."),
    ("client_metrics", "Client metrics subscription", ""),
    ("user_client_quota", "Quotas of users and client ids", ""),
    ("ip_quota", "Quotas of addresses", ""),
)


def docs_text(folder):
    out = ["# Configuration", "",
           "<!-- Generated by tools/generate_configs.py from schema/configs: change those. -->", "",
           "`moldau server [server.properties] [--override KEY=VALUE]…` reads Apache Kafka's property files: every key of",
           "Kafka 4.3 is known with its type, range and default. A wrong value stops the start and says what is allowed. An",
           "unknown key gets a warning with the nearest known name, and stops the start under `--strict`.", "",
           "What a key does here:", "",
           "| standing | meaning |", "|---|---|",
           "| effective | Moldau does what Kafka does with it |",
           "| no effect here | accepted and shown, but nothing depends on it; said once at the start |",
           "| only the default | any other value stops the start, because Moldau cannot honour it |",
           "| not built: stops the start | likewise, for security settings that are not built yet |", ""]
    for table, title, words in SECTIONS:
        keys = [k for k in read_table(folder, table) if not k.internal]
        out += [f"## {title}", ""] + ([words, ""] if words else [])
        fourth = "update" if table in WITH_UPDATE else "default from"
        out += [f"| key | type | default | allowed | {fourth} | here |", "|---|---|---|---|---|---|"]
        for k in keys:
            default = "required" if k.required else "–" if k.default is None else '""' if k.default == "" else k.default
            if default == "9223372036854775807":
                default = "2^63 − 1"
            source = k.update if table in WITH_UPDATE else ", ".join(f"`{n}`" + (f" ({u})" if u != "same" else "") for n, u in k.broker) or "–"
            here = STANDING_WORDS[k.standing] + (f". {k.note}" if k.note else "")
            out.append(f"| `{k.name}` | {k.type} | {default} | {allowed_words(k)} | {source} | {here} |")
        out.append("")
    out += ["## Gone", "", "Keys of earlier releases that Kafka 4.3 no longer reads. They are named at the start and otherwise ignored,",
            "except those marked *stops the start*.", "", "| key | instead |", "|---|---|"]
    out += [f"| `{n}` | {t}{' *Stops the start.*' if s == 'unbuilt' else ''} |" for n, s, t in read_removed(folder)]
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("tables", "docs", "check-docs"):
        sys.exit(__doc__)
    action, folder, target = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    if action == "tables":
        write_tables(folder, target)
    elif action == "docs":
        target.write_text(docs_text(folder))
    elif target.read_text() != docs_text(folder):
        sys.exit(f"{target} is not what schema/configs says: run tools/generate_configs.py docs {folder} {target}")


main()

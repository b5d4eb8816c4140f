"""Reads one `.message` file into a Message. See docs/internals/protocol-notation.md for the notation."""

import re
from dataclasses import dataclass, field
from pathlib import Path

NEVER_FLEXIBLE = 32767
INTEGERS = {"int8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8}
SCALARS = INTEGERS | {"bool": 1, "float64": 8, "uuid": 16}
VARIABLE = {"string", "bytes", "records"}
KINDS = {"request", "response", "header", "data", "metadata", "coordinator-key", "coordinator-value"}
CPP_KEYWORDS = {"default", "operator", "new", "delete", "class", "struct", "public", "private", "enum", "namespace"}


class SchemaError(Exception):
    pass


@dataclass(frozen=True)
class Versions:
    low: int
    high: int

    def __contains__(self, version: int) -> bool:
        return self.low <= version <= self.high

    def cut(self, other: "Versions") -> "Versions":
        return Versions(max(self.low, other.low), min(self.high, other.high))


@dataclass
class Field:
    name: str  # as on the page: camelCase, the name in JSON
    base: str  # a scalar, string, bytes, records, or the name of a struct
    is_array: bool
    nullable: Versions | None
    versions: Versions
    tag: int | None
    is_plain: bool  # written as in versions that are not flexible, also in those that are
    default: str | None

    @property
    def cpp_name(self) -> str:
        name = snake_case(self.name)
        return name + "_" if name in CPP_KEYWORDS else name

    @property
    def is_struct(self) -> bool:
        return self.base not in SCALARS and self.base not in VARIABLE


@dataclass
class Struct:
    name: str
    versions: Versions
    fields: list[Field] = field(default_factory=list)


@dataclass
class Message:
    path: Path
    group: str
    kind: str
    name: str
    key: int | None
    versions: Versions
    first_flexible: int
    fields: list[Field] = field(default_factory=list)
    structs: dict[str, Struct] = field(default_factory=dict)  # in the order in which C++ needs them

    @property
    def file_stem(self) -> str:
        return snake_case(self.name)

    def is_flexible(self, version: int) -> bool:
        return version >= self.first_flexible


def snake_case(name: str) -> str:
    name = name.replace("KRaft", "Kraft").replace("kRaft", "kraft").replace("2Pc", "_2pc")
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def parse_versions(text: str, outer: Versions) -> Versions:
    match = re.fullmatch(r"(\d+)(\+|-(\d+))?", text)
    if not match:
        raise SchemaError(f"not a range of versions: {text}")
    low = int(match[1])
    high = outer.high if match[2] == "+" else int(match[3]) if match[3] else low
    if not (outer.low <= low <= high <= outer.high):
        raise SchemaError(f"versions {text} lie outside {outer.low}-{outer.high}")
    return Versions(low, high)


def parse_type(text: str, versions: Versions) -> tuple[str, bool, Versions | None]:
    match = re.fullmatch(r"(\[)?(\w+)(?(1)\])(\?([\d+-]*))?", text)
    if not match:
        raise SchemaError(f"not a type: {text}")
    nullable = None
    if match[3]:
        nullable = parse_versions(match[4], versions) if match[4] else versions
    return match[2], bool(match[1]), nullable


def parse_field(line: str, outer: Versions) -> Field:
    words = line.split()
    default = None
    if "=" in words:
        at = words.index("=")
        if len(words) != at + 2:
            raise SchemaError("one word stands after =")
        default = words[at + 1]
        words = words[:at]
    if len(words) < 2:
        raise SchemaError("a field has a name and a type")
    name, type_text, rest = words[0], words[1], words[2:]
    versions = outer
    if rest and rest[0][0].isdigit():
        versions = parse_versions(rest.pop(0), outer)
    tag = None
    is_plain = False
    while rest:
        word = rest.pop(0)
        if word == "tag" and rest:
            tag = int(rest.pop(0))
        elif word == "plain":
            is_plain = True
        else:
            raise SchemaError(f"unknown word: {word}")
    base, is_array, nullable = parse_type(type_text, versions)
    return Field(name, base, is_array, nullable, versions, tag, is_plain, default)


def parse_first_line(path: Path, line: str) -> Message:
    words = line.split()
    if len(words) < 4 or words[0] not in KINDS or len(words) % 2:
        raise SchemaError("the first line is: KIND NAME [key|type N] versions RANGE [flexible N+]")
    facts = dict(zip(words[2::2], words[3::2]))
    versions = parse_versions(facts["versions"], Versions(0, NEVER_FLEXIBLE))
    flexible = int(facts["flexible"].rstrip("+")) if "flexible" in facts else NEVER_FLEXIBLE
    key = facts.get("key", facts.get("type"))
    return Message(path, path.parent.name, words[0], words[1], None if key is None else int(key), versions, flexible)


def parse_message(path: Path) -> Message:
    lines = path.read_text().splitlines()
    number = 0
    try:
        message = parse_first_line(path, lines[0])
        # One entry for each depth: what collects the fields there, and the versions in which they can exist.
        collecting = [(0, message.fields, message.versions)]
        finished: list[Struct] = []
        previous: Field | None = None
        for number, line in enumerate(lines[1:], start=1):
            text = line.split("#")[0].rstrip()
            if not text:
                continue
            indent = len(text) - len(text.lstrip())
            if text.startswith("struct "):
                struct = Struct(text.split()[1], message.versions)
                finished.append(struct)
                collecting = [(2, struct.fields, message.versions)]
                previous = None
                continue
            if indent > collecting[-1][0]:
                if previous is None or not previous.is_struct:
                    raise SchemaError("deeper than the line above, which is not a struct")
                struct = Struct(previous.base, previous.versions)
                finished.append(struct)
                collecting.append((indent, struct.fields, previous.versions))
            while indent < collecting[-1][0]:
                collecting.pop()
            if indent != collecting[-1][0]:
                raise SchemaError("indented unlike the lines around it")
            previous = parse_field(text, collecting[-1][2])
            collecting[-1][1].append(previous)
        number = 0
        message.structs = in_order_of_need(message, {struct.name: struct for struct in finished})
        check(message)
        return message
    except (SchemaError, KeyError, ValueError) as error:
        raise SchemaError(f"{path}:{number + 1}: {error}") from error


def in_order_of_need(message: Message, structs: dict[str, Struct]) -> dict[str, Struct]:
    ordered: dict[str, Struct] = {}

    def visit(fields: list[Field], outside: tuple[str, ...]) -> None:
        for one in fields:
            if one.is_struct and one.base not in ordered:
                if one.base not in structs:
                    raise SchemaError(f"no struct {one.base}")
                if one.base in outside:
                    raise SchemaError(f"{one.base} contains itself")
                visit(structs[one.base].fields, outside + (one.base,))
                ordered[one.base] = structs[one.base]

    visit(message.fields, ())
    return ordered


def check(message: Message) -> None:
    for fields in [message.fields, *(struct.fields for struct in message.structs.values())]:
        tags = [one.tag for one in fields if one.tag is not None]
        if tags != sorted(set(tags)):
            fields.sort(key=lambda one: (one.tag is not None, one.tag))
        for one in fields:
            if one.tag is not None and not message.is_flexible(one.versions.low):
                raise SchemaError(f"{one.name} is tagged in a version that is not flexible")
            if one.default == "null" and one.nullable is None:
                raise SchemaError(f"{one.name} is never null but by default")

#!/usr/bin/env python3
"""Makes the C++ of the table of access: `generate_access.py SCHEMA_DIR OUT_FILE`.

Reads schema/access.table beside schema/apis.table and the requests: every API has its line, and every field that a
check names is a field of the request.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from protocol_generator import tables  # noqa: E402
from protocol_generator.notation import Message, SchemaError, parse_message  # noqa: E402

RESOURCES = {"topic", "group", "cluster", "transactional_id", "delegation_token", "user"}
OPERATIONS = {"read", "write", "create", "delete", "alter", "describe", "cluster_action", "describe_configs",
              "alter_configs", "idempotent_write", "create_tokens", "describe_tokens"}
PREAMBLE = "// Made by tools/generate_access.py from schema/access.table; change that."
ANYWHERE = "*"
NOWHERE = "-"


@dataclass(frozen=True)
class Check:
    operation: str
    resource: str
    field: str

    @property
    def cpp(self) -> str:
        operation = "delete_" if self.operation == "delete" else self.operation
        return f'{{Operation::{operation}, ResourceType::{self.resource}, "{self.field}"}}'


def has_field(request: Message, path: str) -> bool:
    fields = request.fields
    for part in path.split("."):
        found = next((one for one in fields if one.name == part), None)
        if found is None:
            return False
        fields = request.structs[found.base].fields if found.is_struct else []
    return not fields


def parse_check(text: str, request: Message) -> Check:
    words = text.split()
    if len(words) != 3:
        raise SchemaError(f"a check is OPERATION RESOURCE FIELD, not '{text.strip()}'")
    check = Check(*words)
    if check.operation not in OPERATIONS or check.resource not in RESOURCES:
        raise SchemaError(f"no such operation or resource: '{text.strip()}'")
    if (check.resource == "cluster") != (check.field == NOWHERE):
        raise SchemaError(f"the cluster, and nothing else, has no field: '{text.strip()}'")
    if check.field not in (ANYWHERE, NOWHERE):
        for path in check.field.split("|"):
            if not has_field(request, path):
                raise SchemaError(f"{request.name} has no field {path}")
    return check


def parse(path: Path, apis: list[tables.Api]) -> list[tuple[tables.Api, list[Check]]]:
    missing = {api.key: api for api in apis}
    lines = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            key, name, text = line.split(maxsplit=2)
            api = missing.pop(int(key), None)
            if api is None or api.name != name:
                raise SchemaError(f"no API {name} with key {key}, or one that stands here twice")
            checks = [] if text.strip() == "open" else [parse_check(one, api.request) for one in text.split(";")]
            lines.append((api, checks))
        except (SchemaError, ValueError) as error:
            raise SchemaError(f"{path}:{number}: {error}") from error
    if missing:
        raise SchemaError(f"{path}: lacks {', '.join(api.name for api in missing.values())}")
    return lines


def header(lines: list[tuple[tables.Api, list[Check]]]) -> str:
    out = [PREAMBLE, "#pragma once", "", "#include <array>", "", '#include "protocol/api_key.h"',
           '#include "security/access.h"', "", "namespace moldau::security {", "",
           "// The checks of one API; an API without a line has no AccessOf, and so no handler.",
           "template <protocol::ApiKey api>", "struct AccessOf;", ""]
    for api, checks in lines:
        out += ["template <>", f"struct AccessOf<protocol::ApiKey::{api.enumerator}> {{",
                f"  static constexpr std::array<Check, {len(checks)}> checks{{{{"]
        out += [f"      {check.cpp}," for check in checks]
        out += ["  }};", "};"]
    out += ["", f"inline constexpr std::array<AccessLine, {len(lines)}> access_table{{{{"]
    out += [f"    {{protocol::ApiKey::{api.enumerator}, AccessOf<protocol::ApiKey::{api.enumerator}>::checks}}," for api, _ in lines]
    out += ["}};", "", "}  // namespace moldau::security", ""]
    return "\n".join(out)


def main(schema: Path, out: Path) -> None:
    messages = [parse_message(path) for path in sorted(schema.glob("*/*_request.message"))]
    text = header(parse(schema / "access.table", tables.parse_apis(schema / "apis.table", messages)))
    out.parent.mkdir(parents=True, exist_ok=True)
    if not out.exists() or out.read_text() != text:
        out.write_text(text)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except SchemaError as error:
        sys.exit(f"error: {error}")

#!/usr/bin/env python3
"""Makes the C++ of every Kafka message from schema/: `generate_protocol.py SCHEMA_DIR OUT_DIR`.

The notation is described in docs/internals/protocol-notation.md. A file whose text would not change is not touched,
so that a changed schema rebuilds only what includes it.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from protocol_generator import codec, header, json_codec, registry, tables  # noqa: E402
from protocol_generator.notation import SchemaError, parse_message  # noqa: E402
from protocol_generator.grouping import GROUP_COUNT, group_of  # noqa: E402


def write_if_changed(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main(schema: Path, out: Path) -> None:
    messages = [parse_message(path) for path in sorted(schema.glob("*/*.message"))]
    apis = tables.parse_apis(schema / "apis.table", messages)
    errors = tables.parse_errors(schema / "errors.table")
    for message in messages:
        write_if_changed(out / f"messages/{message.file_stem}.h", header.message_header(message))
    for group in range(GROUP_COUNT):
        members = [m for m in messages if group_of(m.file_stem) == group]
        write_if_changed(out / f"messages/group_{group:02}.cc", codec.source(members))
        write_if_changed(out / f"json/group_{group:02}.cc", json_codec.source(members))
    write_if_changed(out / "json/registry.cc", registry.source(messages))
    write_if_changed(out / "api_key.h", tables.api_key_header(apis))
    write_if_changed(out / "api_table.cc", tables.api_table_source(apis))
    write_if_changed(out / "error_code.h", tables.error_code_header(errors))
    write_if_changed(out / "error_code.cc", tables.error_code_source(errors))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except SchemaError as error:
        sys.exit(f"error: {error}")

"""Prints the header of a message: plain structs, and the two functions that the codec templates call."""

from .cpp import PREAMBLE, cpp_type, default_value
from .notation import Field, Message



def message_header(message: Message) -> str:
    lines = [PREAMBLE, "#pragma once", "", '#include "protocol/message.h"', "", "namespace moldau::protocol {", "",
             f"struct {message.name} {{"]
    lines += [f"  {line}" for line in constants(message)]
    for struct in message.structs.values():
        lines += ["", f"  struct {struct.name} {{"]
        lines += [f"    {line}" for line in members(struct.fields, struct.name)]
        lines += ["  };"]
    lines += [""] + [f"  {line}" for line in members(message.fields, message.name)]
    lines += ["};", "",
              f"void read(Reader& reader, {message.name}& message, int16_t version);",
              f"void write(Writer& writer, const {message.name}& message, int16_t version);",
              "", "}  // namespace moldau::protocol", ""]
    return "\n".join(lines)


def constants(message: Message) -> list[str]:
    lines = [f'static constexpr std::string_view message_name = "{message.name}";']
    if message.kind in ("request", "response"):
        api = message.file_stem.removesuffix("_request").removesuffix("_response")
        lines.append(f"static constexpr ApiKey api_key = ApiKey::{api};")
    elif message.key is not None:
        lines.append(f"static constexpr int16_t record_type = {message.key};")
    lines.append(f"static constexpr VersionRange valid_versions{{{message.versions.low}, {message.versions.high}}};")
    lines.append(f"static constexpr int16_t first_flexible_version = {message.first_flexible};")
    return lines


def members(fields: list[Field], owner: str) -> list[str]:
    lines = [f"{cpp_type(one)} {one.cpp_name}{default_value(one)};" for one in fields]
    lines.append("std::vector<TaggedField> unknown_tagged_fields;")
    lines.append(f"friend bool operator==(const {owner}&, const {owner}&) = default;")
    return lines

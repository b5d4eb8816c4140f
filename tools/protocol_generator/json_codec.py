"""Prints the sources that turn messages into JSON and back, for vectors and for `log dump`: fields have their names in
the schema, a version shows the fields that it has, a tagged field that has its default is absent."""

from .codec import is_worth_writing
from .cpp import PREAMBLE, in_versions
from .notation import NEVER_FLEXIBLE, Field, Message, Versions


def source(messages: list[Message]) -> str:
    lines = [PREAMBLE, '#include "protocol/json/message_types.h"', '#include "protocol/json/json_fields.h"']
    lines += [f'#include "protocol/messages/{message.file_stem}.h"' for message in messages]
    lines += ["", "namespace moldau::protocol {"]
    for message in messages:
        for struct in message.structs.values():
            lines += functions(message, struct.fields, f"{message.name}::{struct.name}")
        lines += functions(message, message.fields, message.name)
        lines += ["", f"template boost::json::value to_json(const {message.name}&, int16_t);",
                  f"template result<{message.name}, std::string> from_json(const boost::json::value&, int16_t, "
                  "JsonBytes&);",
                  f"template const MessageType message_type<{message.name}>;"]
    return "\n".join(lines + ["", "}  // namespace moldau::protocol", ""])


def functions(message: Message, fields: list[Field], type_name: str) -> list[str]:
    version = "[[maybe_unused]] int16_t version"
    lines = ["", f"void put_fields(JsonFieldWriter& out, const {type_name}& message, {version}) {{"]
    for one in fields:
        condition = in_versions(one.versions, message.versions)
        if one.tag is not None:
            worth = is_worth_writing(message, one)
            condition = worth if message.first_flexible <= message.versions.low else condition_of_tagged(message, worth)
        line = f'out.field("{one.name}", message.{one.cpp_name}, version);'
        lines.append(f"  if ({condition}) {line}" if condition else f"  {line}")
    if message.first_flexible != NEVER_FLEXIBLE:
        lines.append("  out.unknown_tagged_fields(message.unknown_tagged_fields);")
    lines += ["}", f"void take_fields(JsonFieldReader& in, {type_name}& message, {version}) {{"]
    for one in fields:
        condition = in_versions(one.versions, message.versions)
        call = "tagged_field" if one.tag is not None else "field"
        line = f'in.{call}("{one.name}", message.{one.cpp_name}, version);'
        lines.append(f"  if ({condition}) {line}" if condition else f"  {line}")
    if message.first_flexible != NEVER_FLEXIBLE:
        lines.append("  in.unknown_tagged_fields(message.unknown_tagged_fields);")
    return lines + ["}"]


def condition_of_tagged(message: Message, worth: str) -> str:
    return f"version >= {message.first_flexible} && {worth}"

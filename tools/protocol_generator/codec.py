"""Prints the sources that decode and encode messages. Every struct gets a `read` and a `write`, inner ones first."""

from .cpp import PREAMBLE, cpp_type, element_type, flexible, in_versions, is_optional, nullable, smallest_element
from .notation import NEVER_FLEXIBLE, SCALARS, Field, Message, Versions

READ_SCALAR = {name: f"reader.{name}()" for name in SCALARS} | {"bool": "reader.boolean()"}
WRITE_SCALAR = {name: f"writer.{name}({{}})" for name in SCALARS} | {"bool": "writer.boolean({})"}


def source(messages: list[Message]) -> str:
    lines = [PREAMBLE]
    lines += [f'#include "protocol/messages/{message.file_stem}.h"' for message in messages]
    lines += ['#include "protocol/reader.h"', '#include "protocol/writer.h"', "", "namespace moldau::protocol {"]
    for message in messages:
        if message.structs:
            lines += ["", "namespace {"]
            for struct in message.structs.values():
                lines += codec(message, struct.fields, f"{message.name}::{struct.name}")
            lines += ["", "}  // namespace"]
        lines += codec(message, message.fields, message.name)
    return "\n".join(lines + ["", "}  // namespace moldau::protocol", ""])


def codec(message: Message, fields: list[Field], type_name: str) -> list[str]:
    uses_version = f"[[maybe_unused]] int16_t version"
    lines = ["", f"void read(Reader& reader, {type_name}& message, {uses_version}) {{"]
    lines += [f"  {line}" for line in read_body(message, fields)]
    lines += ["}", f"void write(Writer& writer, const {type_name}& message, {uses_version}) {{"]
    lines += [f"  {line}" for line in write_body(message, fields)]
    return lines + ["}"]


def guarded(condition: str, lines: list[str]) -> list[str]:
    if not condition:
        return lines
    if len(lines) == 1:
        return [f"if ({condition}) {lines[0]}"]
    return [f"if ({condition}) {{", *(f"  {line}" for line in lines), "}"]


# --- reading

def read_body(message: Message, fields: list[Field]) -> list[str]:
    lines = []
    for one in fields:
        if one.tag is None:
            lines += guarded(in_versions(one.versions, message.versions), read_field(message, one))
    if message.first_flexible == NEVER_FLEXIBLE:
        return lines
    tagged = [one for one in fields if one.tag is not None]
    is_flexible = flexible(message)
    condition = "" if is_flexible == "true" else is_flexible
    if not tagged:
        return lines + guarded(condition, ["reader.unknown_tagged_fields(message.unknown_tagged_fields);"])
    block = ["for (uint32_t left = reader.tagged_field_count(); left > 0 && !reader.failed(); --left) {",
             "  const auto tagged = reader.begin_tagged_field();"]
    otherwise = ""
    for one in tagged:
        versions = in_versions(one.versions, Versions(max(message.versions.low, message.first_flexible),
                                                      message.versions.high))
        test = f"tagged.tag == {one.tag}" + (f" && {versions}" if versions else "")
        block += [f"  {otherwise}if ({test}) {{", *(f"    {line}" for line in read_field(message, one)), "  }"]
        otherwise = "else "
    block += ["  else {", "    reader.unknown_tagged_field(tagged, message.unknown_tagged_fields);", "  }",
              "  reader.end_tagged_field(tagged);", "}"]
    return lines + guarded(condition, block)


def read_field(message: Message, one: Field) -> list[str]:
    target = f"message.{one.cpp_name}"
    compact = flexible(message, one)
    null = nullable(one)
    if one.is_array:
        function = "read_nullable_array" if is_optional(one) else "read_array"
        arguments = f"reader, {target}, {compact}" + (f", {null}" if is_optional(one) else "")
        return [f"{function}({arguments}, {smallest_element(one, message)}, "
                f"[&]({element_type(one, message)}& element) {{ {read_element(message, one)} }});"]
    if one.base == "records":
        return [f"{target} = reader.records({compact}, {null});"]
    if one.is_struct:
        if not is_optional(one):
            return [f"read(reader, {target}, version);"]
        # Kafka marks a null struct in two ways: a signed byte, or in a tagged field a varint.
        is_present = "reader.is_struct_present()" if one.tag is None else "reader.unsigned_varint() > 0"
        return [f"if ({is_present}) read(reader, *({target} = {element_type(one, message)}{{}}), version);",
                f"else {target}.reset();"]
    if one.base in ("string", "bytes"):
        if is_optional(one):
            return [f"{target} = reader.nullable_{one.base}({compact}, {null});"]
        return [f"{target} = reader.{one.base}({compact});"]
    return [f"{target} = {READ_SCALAR[one.base]};"]


def read_element(message: Message, one: Field) -> str:
    if one.is_struct:
        return "read(reader, element, version);"
    if one.base in ("string", "bytes"):
        return f"element = reader.{one.base}({flexible(message, one)});"
    return f"element = {READ_SCALAR[one.base]};"


# --- writing

def write_body(message: Message, fields: list[Field]) -> list[str]:
    lines = []
    for one in fields:
        if one.tag is None:
            lines += guarded(in_versions(one.versions, message.versions), write_field(message, one))
    if message.first_flexible == NEVER_FLEXIBLE:
        return lines
    tagged = [one for one in fields if one.tag is not None]
    is_flexible = flexible(message)
    condition = "" if is_flexible == "true" else is_flexible
    if not tagged:
        return lines + guarded(condition, ["writer.unknown_tagged_fields(message.unknown_tagged_fields);"])
    block = ["TaggedFieldMerge tagged(writer, message.unknown_tagged_fields);"]
    for one in tagged:
        block.append(f"const bool has_{one.cpp_name} = {is_worth_writing(message, one)};")
    count = " + ".join(f"has_{one.cpp_name}" for one in tagged)
    block.append(f"tagged.begin({count});")
    for one in tagged:
        block += [f"if (has_{one.cpp_name}) {{", f"  const auto start = tagged.begin_field({one.tag});",
                  *(f"  {line}" for line in write_field(message, one)), "  tagged.end_field(start);", "}"]
    block.append("tagged.finish();")
    return lines + guarded(condition, block)


def is_worth_writing(message: Message, one: Field) -> str:
    """A tagged field that has its default stays out."""
    versions = in_versions(one.versions, Versions(max(message.versions.low, message.first_flexible),
                                                  message.versions.high))
    value = f"message.{one.cpp_name}"
    if one.default == "null":
        differs = f"{value}.has_value()"
    elif one.base == "records":
        differs = f"!{value}.is_null"
    elif is_optional(one) or one.is_struct and not one.is_array or one.base == "uuid" and not one.is_array:
        differs = f"!({value} == {cpp_type(one, message).removeprefix('std::optional<').removesuffix('>') if is_optional(one) else cpp_type(one, message)}{{}})"
    elif one.is_array or one.base in ("string", "bytes"):
        differs = f"!{value}.empty()"
    else:
        differs = f"{value} != {one.default or ('false' if one.base == 'bool' else '0')}"
    return f"{versions} && {differs}" if versions else differs


def write_field(message: Message, one: Field) -> list[str]:
    value = f"message.{one.cpp_name}"
    compact = flexible(message, one)
    null = nullable(one)
    if one.is_array:
        function = "write_nullable_array" if is_optional(one) else "write_array"
        arguments = f"writer, {value}, {compact}" + (f", {null}" if is_optional(one) else "")
        return [f"{function}({arguments}, [&](const {element_type(one, message)}& element) "
                f"{{ {write_element(message, one)} }});"]
    if one.base == "records":
        return [f"writer.records({value}, {compact}, {null});"]
    if one.is_struct:
        if not is_optional(one):
            return [f"write(writer, {value}, version);"]
        presence = f"writer.struct_presence({value}.has_value());" if one.tag is None else (
            f"writer.unsigned_varint({value}.has_value() ? 1 : 0);")
        return [presence, f"if ({value}) write(writer, *{value}, version);"]
    if one.base in ("string", "bytes"):
        if is_optional(one):
            return [f"writer.nullable_{one.base}({value}, {compact}, {null});"]
        return [f"writer.{one.base}({value}, {compact});"]
    return [WRITE_SCALAR[one.base].format(value) + ";"]


def write_element(message: Message, one: Field) -> str:
    if one.is_struct:
        return "write(writer, element, version);"
    if one.base in ("string", "bytes"):
        return f"writer.{one.base}(element, {flexible(message, one)});"
    return WRITE_SCALAR[one.base].format("element") + ";"

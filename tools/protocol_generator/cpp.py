"""What the printers share: C++ spellings of types, defaults and conditions on the version."""

from .notation import NEVER_FLEXIBLE, SCALARS, Field, Message, Struct, Versions

SCALAR_TYPES = {
    "bool": "bool", "int8": "int8_t", "int16": "int16_t", "uint16": "uint16_t", "int32": "int32_t",
    "uint32": "uint32_t", "int64": "int64_t", "float64": "double", "uuid": "Uuid",
    "string": "std::string", "bytes": "Bytes", "records": "Records",
}
PREAMBLE = "// Made by tools/generate_protocol.py from schema/; change those."


def element_type(one: Field, message: Message | None = None) -> str:
    if one.is_struct:
        return f"{message.name}::{one.base}" if message else one.base
    return SCALAR_TYPES[one.base]


def cpp_type(one: Field, message: Message | None = None) -> str:
    inner = element_type(one, message)
    if one.is_array:
        inner = f"std::vector<{inner}>"
    return f"std::optional<{inner}>" if is_optional(one) else inner


def is_optional(one: Field) -> bool:
    """Records say themselves whether they are null."""
    return one.nullable is not None and one.base != "records"


def default_value(one: Field) -> str:
    """The member's initialiser, empty where the type's own will do."""
    if one.default == "null":
        return ""
    if is_optional(one):
        return f" = {cpp_type(one).removeprefix('std::optional<')[:-1]}{{}}" if one.default is None else f" = {one.default}"
    if one.is_array or one.is_struct or one.base in ("uuid", "string", "bytes", "records"):
        return "" if one.default is None else f' = "{one.default}"'
    if one.base == "bool":
        return f" = {one.default or 'false'}"
    if one.default == "-2147483648":
        return " = std::numeric_limits<int32_t>::min()"
    if one.default == "9223372036854775807":
        return " = std::numeric_limits<int64_t>::max()"
    return f" = {one.default or '0'}"


def in_versions(versions: Versions, outer: Versions) -> str:
    """A condition on `version`, known to lie in `outer`; empty when it always holds."""
    parts = []
    if versions.low > outer.low:
        parts.append(f"version >= {versions.low}")
    if versions.high < outer.high:
        parts.append(f"version <= {versions.high}")
    return " && ".join(parts)


def flexible(message: Message, one: Field | None = None) -> str:
    """Whether the version is flexible, as an expression."""
    if one is not None and one.is_plain or message.first_flexible == NEVER_FLEXIBLE:
        return "false"
    if message.first_flexible <= message.versions.low:
        return "true"
    return f"version >= {message.first_flexible}"


def nullable(one: Field) -> str:
    if one.nullable is None:
        return "false"
    return in_versions(one.nullable, one.versions) or "true"


def smallest_size(fields: list[Field], versions: Versions, message: Message) -> int:
    """The fewest bytes in which these fields can be encoded, in any of the versions."""
    return max(1, min(size_in(fields, version, message) for version in range(versions.low, versions.high + 1)))


def size_in(fields: list[Field], version: int, message: Message) -> int:
    is_flexible = message.is_flexible(version)
    size = 1 if is_flexible else 0
    for one in fields:
        if one.tag is not None or version not in one.versions:
            continue
        compact = is_flexible and not one.is_plain
        if one.is_array or one.base in ("bytes", "records"):
            size += 1 if compact else 4
        elif one.base == "string":
            size += 1 if compact else 2
        elif one.base in SCALARS:
            size += SCALARS[one.base]
        else:
            size += 1 if one.nullable else size_in(message.structs[one.base].fields, version, message)
    return size


def smallest_element(one: Field, message: Message) -> int:
    if one.base in SCALARS:
        return SCALARS[one.base]
    if one.base in ("string", "bytes"):
        return 1 if message.first_flexible <= message.versions.high else {"string": 2, "bytes": 4}[one.base]
    struct: Struct = message.structs[one.base]
    return smallest_size(struct.fields, one.versions, message)

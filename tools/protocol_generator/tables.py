"""The tables of APIs and of error codes: reads schema/apis.table and schema/errors.table, prints enums and rows."""

from dataclasses import dataclass
from pathlib import Path

from .cpp import PREAMBLE
from .notation import Message, SchemaError, snake_case

NOWHERE = (0, -1)


@dataclass
class Api:
    key: int
    name: str
    broker: tuple[int, int]
    controller: tuple[int, int]
    request: Message
    flags: set[str]

    @property
    def enumerator(self) -> str:
        return snake_case(self.name)


@dataclass
class Error:
    code: int
    name: str
    flags: set[str]
    message: str


def rows(path: Path, columns: int):
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split(maxsplit=columns)


def parse_range(text: str) -> tuple[int, int]:
    return NOWHERE if text == "-" else tuple(int(end) for end in text.split("-"))


def parse_apis(path: Path, messages: list[Message]) -> list[Api]:
    requests = {message.key: message for message in messages if message.kind == "request"}
    apis = []
    for key, name, broker, controller, *flags in rows(path, 4):
        request = requests.pop(int(key), None)
        if request is None or request.name != name + "Request":
            raise SchemaError(f"{path}: no {name}Request with key {key}")
        apis.append(Api(int(key), name, parse_range(broker), parse_range(controller), request,
                        set(flags[0].split()) if flags else set()))
    if requests:
        raise SchemaError(f"{path}: lacks {', '.join(request.name for request in requests.values())}")
    return apis


def parse_errors(path: Path) -> list[Error]:
    return [Error(int(code), name, set(flags.split(",")), message) for code, name, flags, message in rows(path, 3)]


def api_key_header(apis: list[Api]) -> str:
    lines = [PREAMBLE, "#pragma once", "", "#include <cstdint>", "#include <string_view>", "",
             "namespace moldau::protocol {", "", "enum class ApiKey : int16_t {"]
    lines += [f"  {api.enumerator} = {api.key}," for api in apis]
    lines += ["};", "", "// Kafka's name of the API: Produce, ListOffsets, ...",
              "[[nodiscard]] std::string_view api_name(ApiKey key);", "",
              "}  // namespace moldau::protocol", ""]
    return "\n".join(lines)


def api_table_source(apis: list[Api]) -> str:
    lines = [PREAMBLE, '#include "protocol/api_table.h"', "", "#include <array>", "", '#include "base/assert.h"', "",
             "namespace moldau::protocol {", "", "namespace {", "",
             f"constexpr std::array<ApiInfo, {len(apis)}> table = {{{{"]
    for api in apis:
        versions = api.request.versions
        lines.append(f'    {{ApiKey::{api.enumerator}, "{api.name}", {{{api.broker[0]}, {api.broker[1]}}}, '
                     f"{{{api.controller[0]}, {api.controller[1]}}}, {{{versions.low}, {versions.high}}}, "
                     f"{api.request.first_flexible}, {str('forwarded' in api.flags).lower()}, "
                     f"{str('cluster' in api.flags).lower()}}},")
    lines += ["}};", "", "}  // namespace", "",
              "std::span<const ApiInfo> api_table() { return table; }", "",
              "const ApiInfo* find_api(int16_t key) {", "  switch (key) {"]
    lines += [f"    case {api.key}: return &table[{index}];" for index, api in enumerate(apis)]
    lines += ["    default: return nullptr;", "  }", "}", "",
              "const ApiInfo& api_info(ApiKey key) {",
              "  const ApiInfo* info = find_api(static_cast<int16_t>(key));",
              "  MOLDAU_ASSERT(info != nullptr);", "  return *info;", "}", "",
              "std::string_view api_name(ApiKey key) {",
              "  const ApiInfo* info = find_api(static_cast<int16_t>(key));",
              '  return info ? info->name : "unknown";', "}", "", "}  // namespace moldau::protocol", ""]
    return "\n".join(lines)


def error_code_header(errors: list[Error]) -> str:
    lines = [PREAMBLE, "#pragma once", "", "#include <cstdint>", "#include <string_view>", "",
             "namespace moldau::protocol {", "", "enum class ErrorCode : int16_t {"]
    lines += [f"  {error.name} = {error.code}," for error in errors]
    lines += ["};", "",
              "// Kafka's name of the code (UNKNOWN_TOPIC_OR_PARTITION); a code that Kafka lacks has that of -1.",
              "[[nodiscard]] std::string_view error_name(ErrorCode code);",
              "// The text that stands for the code where a response carries one and nothing better is known.",
              "[[nodiscard]] std::string_view error_message(ErrorCode code);",
              "// Whether a client tries again.",
              "[[nodiscard]] bool is_retriable(ErrorCode code);",
              "// Whether a client fetches metadata before it does.",
              "[[nodiscard]] bool refreshes_metadata(ErrorCode code);", "",
              "}  // namespace moldau::protocol", ""]
    return "\n".join(lines)


def error_code_source(errors: list[Error]) -> str:
    lines = [PREAMBLE, '#include "protocol/error_code.h"', "", "namespace moldau::protocol {", "", "namespace {", "",
             "struct Row {", "  std::string_view name;", "  std::string_view message;", "  bool is_retriable;",
             "  bool refreshes_metadata;", "};", "", f"constexpr int16_t lowest = {errors[0].code};",
             "constexpr Row rows[] = {"]
    for previous, error in zip([None, *errors], errors):
        if previous is not None and error.code != previous.code + 1:
            raise SchemaError(f"error codes are not in a row at {error.code}")
        text = error.message.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'    {{"{error.name.upper()}", "{text}", {str("retriable" in error.flags).lower()}, '
                     f'{str("refresh" in error.flags).lower()}}},')
    lines += ["};", "", "const Row& row_of(ErrorCode code) {",
              "  const int index = static_cast<int16_t>(code) - lowest;",
              "  return index < 0 || index >= static_cast<int>(std::size(rows)) ? rows[0] : rows[index];", "}", "",
              "}  // namespace", ""]
    for kind, function in (("std::string_view", "error_name"), ("std::string_view", "error_message"),
                           ("bool", "is_retriable"), ("bool", "refreshes_metadata")):
        member = function.removeprefix("error_")
        lines.append(f"{kind} {function}(ErrorCode code) {{ return row_of(code).{member}; }}")
    lines += ["", "}  // namespace moldau::protocol", ""]
    return "\n".join(lines).replace('#include "protocol/error_code.h"\n', '#include "protocol/error_code.h"\n\n#include <iterator>\n', 1)

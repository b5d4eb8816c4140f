"""Prints the list of all message types, for code that meets messages by name or number."""

from .cpp import PREAMBLE
from .notation import Message

KINDS = {"request": "request", "response": "response", "header": "header", "data": "data", "metadata": "metadata",
         "coordinator-key": "coordinator_key", "coordinator-value": "coordinator_value"}


def source(messages: list[Message]) -> str:
    lines = [PREAMBLE, '#include "protocol/json/message_types.h"', "", "#include <array>", "",
             '#include "protocol/message.h"', "", "namespace moldau::protocol {", ""]
    lines += [f"struct {message.name};" for message in messages]
    lines += [""]
    lines += [f"extern template const MessageType message_type<{message.name}>;" for message in messages]
    lines += ["", "std::span<const ListedMessageType> message_types() {",
              f"  static const std::array<ListedMessageType, {len(messages)}> all = {{{{"]
    for message in messages:
        key = message.key if message.key is not None else -1
        lines.append(f'      {{"{message.group}", MessageKind::{KINDS[message.kind]}, {key}, '
                     f"&message_type<{message.name}>}},")
    lines += ["  }};", "  return all;", "}", "", "}  // namespace moldau::protocol", ""]
    return "\n".join(lines)

// Messages as JSON, as the golden vectors and `moldau log dump` have them: fields under their schema names, those of one
// version only, byte arrays and records in base64, uuids in Kafka's text form, a tagged field with its default absent.
//
// Not on any request path; this stands in a library of its own, moldau_protocol_json.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include <boost/json/value.hpp>

#include "base/bytes.h"
#include "base/result.h"

namespace moldau::protocol {

// Holds the bytes that `Records` of a message made from JSON look at.
using JsonBytes = std::deque<Bytes>;

// Defined for every generated message.
template <class Message>
[[nodiscard]] boost::json::value to_json(const Message& message, int16_t version);

// The error says which field is wrong. `held` must outlive the message.
template <class Message>
[[nodiscard]] result<Message, std::string> from_json(const boost::json::value& json, int16_t version, JsonBytes& held);

}  // namespace moldau::protocol

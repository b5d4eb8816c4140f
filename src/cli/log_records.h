// The records that Kafka itself keeps in logs, as JSON: metadata, group and transaction coordinators, control
// records.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace moldau::cli {

enum class RecordDecoder : uint8_t { none, metadata, groups, transactions, shares };

// By the topic's name: __cluster_metadata, __consumer_offsets, __transaction_state, __share_group_state.
[[nodiscard]] RecordDecoder decoder_for(std::string_view topic);

// {"type": ..., "version": ..., "data": {...}} for metadata; {"type": ..., "key": {...}, "value": {...} or
// null} for coordinators; {"undecoded": why} where the bytes are no such record. Empty with `none`.
[[nodiscard]] boost::json::object decoded_record(RecordDecoder decoder, const std::optional<ByteView>& key,
                                                 const std::optional<ByteView>& value);

// The same for a record of a control batch: {"type": "commit", ...}.
[[nodiscard]] boost::json::object decoded_control_record(const std::optional<ByteView>& key,
                                                         const std::optional<ByteView>& value);

}  // namespace moldau::cli

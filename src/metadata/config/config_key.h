// What is known of one configuration key: its type, default, allowed values, who may change it while the node
// runs, and what it does in Moldau. The tables are generated from schema/configs and live for the whole
// process; this header is plain data and knows no values (config_value.h) and no lookup (config_tables.h).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

namespace moldau::metadata {

// The numbers are those of DescribeConfigsResponse.ConfigType (KIP-569).
enum class ConfigType : int8_t {
  boolean_ = 1,
  string_ = 2,
  int_ = 3,
  short_ = 4,
  long_ = 5,
  double_ = 6,
  list_ = 7,
  class_ = 8,
  password_ = 9,
};

enum class Importance : uint8_t { high, medium, low };

// The widest scope in which a running node's value can be changed.
enum class UpdateMode : uint8_t { read_only, per_broker, cluster_wide };

// What a key does here. `refused` and `unbuilt` (security) keys stop the start when set to anything but the
// default.
enum class Standing : uint8_t { effective, none, refused, unbuilt };

// The unit in which a broker key gives a topic's milliseconds; `same` for everything else.
enum class TimeUnit : uint8_t { same, minutes, hours };

struct BrokerSynonym {
  std::string_view name;
  TimeUnit unit;
};

struct Allowed {
  enum class Kind : uint8_t {
    any,
    range,               // minimum <= value <= maximum, or value == also
    one_of,              // choices
    one_of_in_any_case,  // choices, letters in any case
    list_of,             // entries non-empty, from choices unless that is empty; repeats are dropped
    non_empty_text,      // null is allowed
    non_null,
    quorum_voters,       // ID@HOST:PORT,...
    bootstrap_servers,   // HOST:PORT,...
    throttled_replicas,  // PARTITION:BROKER,... or *
    offset_reset,        // latest, earliest, by_duration:ISO-8601
  };
  Kind kind = Kind::any;
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  std::optional<int64_t> also = std::nullopt;
  std::span<const std::string_view> choices = {};
  bool empty_list = true;
  bool null = false;
};

struct ConfigKey {
  std::string_view name;
  ConfigType type;
  std::optional<std::string_view> default_value;  // as Kafka prints it; nullopt: null, or required
  bool required;
  Allowed allowed;
  Importance importance;
  UpdateMode update_mode;
  Standing standing;
  bool internal;                               // never described
  std::span<const std::string_view> synonyms;  // broker keys: the same setting in other units
  std::span<const BrokerSynonym>
      broker_keys;        // topic and group keys: what gives the default, first one first
  std::string_view note;  // our own words for the page; may be empty
};

[[nodiscard]] constexpr bool is_sensitive(const ConfigKey& key) { return key.type == ConfigType::password_; }

// A key of earlier releases; `name` may end in '*'. Standing::unbuilt stops the start.
struct RemovedKey {
  std::string_view name;
  Standing standing;
  std::string_view instead;
};

}  // namespace moldau::metadata

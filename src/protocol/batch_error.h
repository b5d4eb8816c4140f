// What can be wrong with the bytes of a record batch.
#pragma once

#include <cstdint>
#include <string>

namespace moldau::protocol {

struct BatchError {
  enum class Reason : uint8_t {
    too_short,        // a size below what any batch has, or a v2 batch shorter than its header
    unknown_magic,    // neither 0, 1 nor 2
    wrong_crc,
    unknown_codec,
    malformed_codec,  // compressed bytes that do not decompress
    malformed,        // a record that is not one, or more or fewer of them than the count says
    too_large,        // decompressed beyond the bound that the caller set
  };
  Reason reason = Reason::malformed;
  std::string what;  // a sentence without a full stop, for a person
};

}  // namespace moldau::protocol

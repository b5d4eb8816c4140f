// SHA-256 as text: long keys and values stand in vectors by it alone.
#pragma once

#include <openssl/evp.h>

#include <string>

#include "base/bytes.h"

namespace moldau::vectors {

[[nodiscard]] inline std::string sha256_hex(ByteView bytes) {
  Bytes digest(32);
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr,
             EVP_sha256(), nullptr);
  return to_hex(digest);
}

}  // namespace moldau::vectors

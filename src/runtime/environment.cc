#include "runtime/environment.h"

namespace moldau::runtime {

Uuid random_uuid(Environment& environment) {
  while (true) {
    const auto high = (environment.random() & ~0xF000ULL) | 0x4000ULL;
    const auto low = (environment.random() & ~(3ULL << 62)) | (1ULL << 63);
    const Uuid id{static_cast<int64_t>(high), static_cast<int64_t>(low)};
    if (id.to_string().front() != '-') return id;
  }
}

}  // namespace moldau::runtime

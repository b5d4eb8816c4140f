#include "base/uuid.h"

namespace moldau {

static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static constexpr size_t text_length = 22;

std::string Uuid::to_string() const {
  using Wide = unsigned __int128;
  Wide bits = static_cast<Wide>(static_cast<uint64_t>(most_significant)) << 64 | static_cast<uint64_t>(least_significant);
  std::string text(text_length, 'A');
  for (size_t i = 0; i < text_length; ++i) {
    const int shift = 122 - 6 * static_cast<int>(i);
    const auto sextet = shift >= 0 ? static_cast<unsigned>(bits >> shift) & 63U : static_cast<unsigned>(bits << -shift) & 63U;
    text[i] = alphabet[sextet];
  }
  return text;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() > 24) return std::nullopt;
  while (text.size() > text_length && text.back() == '=') text.remove_suffix(1);
  if (text.size() != text_length) return std::nullopt;
  using Wide = unsigned __int128;
  Wide bits = 0;
  for (size_t i = 0; i < text_length; ++i) {
    const size_t sextet = alphabet.find(text[i]);
    if (sextet == std::string_view::npos) return std::nullopt;
    const int shift = 122 - 6 * static_cast<int>(i);
    bits |= shift >= 0 ? static_cast<Wide>(sextet) << shift : static_cast<Wide>(sextet) >> -shift;
  }
  return Uuid{static_cast<int64_t>(static_cast<uint64_t>(bits >> 64)), static_cast<int64_t>(static_cast<uint64_t>(bits))};
}

}  // namespace moldau

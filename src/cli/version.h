// The version that this build says of itself.
#pragma once

#include <string_view>

namespace moldau::cli {

inline constexpr std::string_view version = "0.1.0";

}  // namespace moldau::cli

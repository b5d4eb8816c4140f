#include "storage/file_names.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/assert.h"

namespace moldau::storage {
namespace {

constexpr size_t offset_digits = 20;
constexpr std::array kinds{FileKind::log, FileKind::offset_index, FileKind::time_index, FileKind::transaction_index,
                           FileKind::producer_snapshot};
constexpr std::array later_stages{FileStage::deleted, FileStage::cleaned, FileStage::swap};

}  // namespace

std::string_view extension(FileKind kind) {
  switch (kind) {
    case FileKind::log: return ".log";
    case FileKind::offset_index: return ".index";
    case FileKind::time_index: return ".timeindex";
    case FileKind::transaction_index: return ".txnindex";
    case FileKind::producer_snapshot: return ".snapshot";
  }
  MOLDAU_UNREACHABLE("no such kind of file");
}

std::string_view suffix(FileStage stage) {
  switch (stage) {
    case FileStage::live: return "";
    case FileStage::deleted: return ".deleted";
    case FileStage::cleaned: return ".cleaned";
    case FileStage::swap: return ".swap";
  }
  MOLDAU_UNREACHABLE("no such stage of a file");
}

std::string file_name(Offset base_offset, FileKind kind, FileStage stage) {
  return fmt::format("{:020d}{}{}", base_offset.value(), extension(kind), suffix(stage));
}

std::string file_path(std::string_view directory, Offset base_offset, FileKind kind, FileStage stage) {
  return fmt::format("{}/{:020d}{}{}", directory, base_offset.value(), extension(kind), suffix(stage));
}

std::optional<SegmentFileName> parse_file_name(std::string_view name) {
  if (name.size() <= offset_digits) return std::nullopt;
  SegmentFileName parsed;
  int64_t base = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + offset_digits, base);
  if (error != std::errc{} || end != name.data() + offset_digits || base < 0) return std::nullopt;
  parsed.base_offset = Offset(base);
  std::string_view rest = name.substr(offset_digits);
  for (const FileStage stage : later_stages) {
    if (rest.ends_with(suffix(stage))) {
      parsed.stage = stage;
      rest.remove_suffix(suffix(stage).size());
      break;
    }
  }
  for (const FileKind kind : kinds) {
    if (rest == extension(kind)) {
      parsed.kind = kind;
      return parsed;
    }
  }
  return std::nullopt;
}

}  // namespace moldau::storage

#include "cli/log_files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <tuple>
#include <utility>

namespace moldau::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::pair<std::string_view, LogFile::Kind> extensions[] = {
    {".log", LogFile::Kind::segment},
    {".index", LogFile::Kind::offset_index},
    {".timeindex", LogFile::Kind::time_index},
    {".txnindex", LogFile::Kind::transaction_index},
    {".snapshot", LogFile::Kind::producer_snapshot},
    {".checkpoint", LogFile::Kind::segment}};

constexpr std::string_view text_names[] = {"meta.properties",
                                           "partition.metadata",
                                           "quorum-state",
                                           "leader-epoch-checkpoint",
                                           "recovery-point-offset-checkpoint",
                                           "log-start-offset-checkpoint",
                                           "replication-offset-checkpoint",
                                           "cleaner-offset-checkpoint",
                                           ".kafka_cleanshutdown"};

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Splits "orders-3" at its last dash.
void read_folder(std::string_view folder, LogFile& file) {
  // orders-3.0123...cdef-delete: waiting for its end.
  if (folder.ends_with("-delete") || folder.ends_with("-stray") || folder.ends_with("-future"))
    folder = folder.substr(0, folder.rfind('.'));
  const size_t dash = folder.rfind('-');
  if (dash == std::string_view::npos) return;
  const auto partition = whole_number<int32_t>(folder.substr(dash + 1));
  if (!partition || dash == 0) return;
  file.topic = folder.substr(0, dash);
  file.partition = *partition;
}

}  // namespace

std::optional<LogFile> log_file_of(const std::string& path) {
  const fs::path parts(path);
  const std::string name = parts.filename();
  LogFile file{.path = path};
  read_folder(fs::absolute(parts).lexically_normal().parent_path().filename().string(), file);
  if (std::ranges::find(text_names, name) != std::ranges::end(text_names)) return file;
  for (const auto& [extension, kind] : extensions) {
    if (!name.ends_with(extension)) continue;
    std::string_view stem(name);
    stem.remove_suffix(extension.size());
    file.kind = kind;
    if (name == "bootstrap.checkpoint") {
      file.topic = "__cluster_metadata";
      return file;
    }
    const auto base_offset = whole_number<int64_t>(stem.substr(0, std::min<size_t>(stem.size(), 20)));
    if (stem.size() < 20 || !base_offset) return std::nullopt;
    file.base_offset = *base_offset;
    return file;
  }
  return std::nullopt;
}

result<std::vector<LogFile>, std::string> find_log_files(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error || !fs::exists(status)) return fail(fmt::format("there is no file or directory {}", path));
  std::vector<LogFile> files;
  if (!fs::is_directory(status)) {
    auto file = log_file_of(path);
    if (!file) return fail(fmt::format("{} is no file of a Kafka log directory", path));
    files.push_back(std::move(*file));
    return files;
  }
  for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    if (!at->is_regular_file(error)) continue;
    if (auto file = log_file_of(at->path().string())) files.push_back(std::move(*file));
  }
  if (error) return fail(fmt::format("cannot list {}: {}", path, error.message()));
  std::ranges::sort(files, {}, [](const LogFile& file) {
    return std::tuple(fs::path(file.path).parent_path().string(), file.base_offset, file.kind, file.path);
  });
  return files;
}

result<MappedFile, std::string> MappedFile::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status{};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) {
    const std::string why = std::strerror(errno);
    if (descriptor >= 0) ::close(descriptor);
    return fail(fmt::format("cannot read {}: {}", path, why));
  }
  const auto size = static_cast<size_t>(status.st_size);
  void* address = size == 0 ? nullptr : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  const std::string why = std::strerror(errno);
  ::close(descriptor);
  if (address == MAP_FAILED) return fail(fmt::format("cannot read {}: {}", path, why));
  if (size > 0) ::madvise(address, size, MADV_SEQUENTIAL);
  return MappedFile(ByteView(static_cast<const std::byte*>(address), size));
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace moldau::cli

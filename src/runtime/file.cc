#include "runtime/file.h"

#include <algorithm>
#include <cerrno>

namespace moldau::runtime {

namespace {
std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}
}  // namespace

task<io_result<std::string>> FileSystem::identity(std::string path) {
  std::string spelled = path.starts_with('/') ? "" : ".";
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string name = path.substr(at, end - at);
    if (name == "..")
      spelled.resize(std::min(spelled.rfind('/'), spelled.size()));
    else if (!name.empty() && name != ".")
      spelled += "/" + name;
    at = end + 1;
  }
  return ready(io_result<std::string>(spelled.empty() ? "/" : std::move(spelled)));
}

task<io_result<Bytes>> read_file(FileSystem& files, std::string path, uint64_t limit_bytes) {
  MOLDAU_CO_TRY(const FilePtr file, co_await files.open(path, OpenMode::read));
  MOLDAU_CO_TRY(const uint64_t size_bytes, co_await file->size());
  if (size_bytes > limit_bytes) co_return fail(IoError{EFBIG, "read", path});
  Bytes contents(size_bytes);
  MOLDAU_CO_TRY(const size_t read_bytes, co_await file->read_at(0, contents));
  contents.resize(read_bytes);
  co_return contents;
}

task<io_result<>> write_file_atomically(FileSystem& files, std::string path, Bytes contents) {
  const std::string temporary = path + ".tmp";
  {
    MOLDAU_CO_TRY(const FilePtr file, co_await files.open(temporary, OpenMode::truncate));
    const ByteView parts[] = {contents};
    MOLDAU_CO_CHECK(co_await file->write_at(0, parts));
    MOLDAU_CO_CHECK(co_await file->sync());
  }
  MOLDAU_CO_CHECK(co_await files.rename(temporary, path));
  MOLDAU_CO_CHECK(co_await files.sync_directory(parent_of(path)));
  co_return io_result<>{};
}

task<io_result<>> make_directories(FileSystem& files, std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  std::vector<std::string> holders;  // of names that are missing, the innermost first
  for (std::string missing = path; missing != "/" && missing != "."; missing = parent_of(missing)) {
    const auto status = co_await files.status(missing);
    if (status) break;
    if (status.error().error_number != ENOENT) co_return fail(IoError(status.error()));
    holders.push_back(parent_of(missing));
  }
  MOLDAU_CO_CHECK(co_await files.create_directories(path));
  for (const std::string& holder : holders) MOLDAU_CO_CHECK(co_await files.sync_directory(holder));
  co_return io_result<>{};
}

task<io_result<>> remove_tree(FileSystem& files, std::string path) {
  MOLDAU_CO_TRY(const std::vector<DirectoryEntry> entries, co_await files.list(path));
  for (const DirectoryEntry& entry : entries) {
    std::string inner = path + "/" + entry.name;
    if (entry.is_directory)
      MOLDAU_CO_CHECK(co_await remove_tree(files, std::move(inner)));
    else
      MOLDAU_CO_CHECK(co_await files.remove(std::move(inner)));
  }
  MOLDAU_CO_CHECK(co_await files.remove(std::move(path)));
  co_return io_result<>{};
}

}  // namespace moldau::runtime

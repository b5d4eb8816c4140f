#include "runtime/file.h"

#include <cerrno>

namespace moldau::runtime {

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
  const size_t slash = path.rfind('/');
  MOLDAU_CO_CHECK(co_await files.sync_directory(slash == std::string::npos ? "." : path.substr(0, slash)));
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

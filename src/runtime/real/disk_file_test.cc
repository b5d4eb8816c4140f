#include "runtime/real/disk_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/real/test_world.h"

namespace moldau::runtime::real {
namespace {

task<std::string> text_of(FileSystem& files, std::string path) {
  auto contents = co_await read_file(files, std::move(path));
  if (!contents) co_return contents.error().message();
  co_return std::string(as_text(*contents));
}

TEST(DiskFile, writes_parts_one_after_the_other_and_reads_them_back) {
  TemporaryDirectory directory;
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    FileSystem& files = environment.files();
    const FilePtr file = *co_await files.open(directory / "a", OpenMode::create_new);
    const ByteView parts[] = {as_bytes("hello"), {}, as_bytes(", "), as_bytes("world")};
    EXPECT_TRUE(co_await file->write_at(3, parts));
    EXPECT_EQ(*co_await file->size(), 15u);
    Bytes back(64);
    EXPECT_EQ(*co_await file->read_at(3, back), 12u);  // as far as the file goes
    EXPECT_EQ(as_text(ByteView(back).first(12)), "hello, world");
    EXPECT_EQ(*co_await file->read_at(15, back), 0u);
    Bytes waited(64);
    EXPECT_EQ(*file->read_waiting(3, waited), 12u);
    EXPECT_EQ(as_text(ByteView(waited).first(12)), "hello, world");
    EXPECT_EQ(*file->read_waiting(15, waited), 0u);
    EXPECT_TRUE(co_await file->sync());
    EXPECT_TRUE(co_await file->truncate(5));
    EXPECT_EQ(co_await text_of(files, directory / "a"), std::string("\0\0\0he", 5));
  });
}

TEST(DiskFile, takes_more_parts_than_one_call_of_the_system) {
  TemporaryDirectory directory;
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    FileSystem& files = environment.files();
    const FilePtr file = *co_await files.open(directory / "a", OpenMode::create);
    std::vector<ByteView> parts(1000, as_bytes("abc"));
    EXPECT_TRUE(co_await file->write_at(0, parts));
    std::string expected;
    for (int i = 0; i < 1000; ++i) expected += "abc";
    EXPECT_EQ(co_await text_of(files, directory / "a"), expected);
  });
}

TEST(DiskFile, large_transfers_take_the_way_through_an_io_thread) {
  TemporaryDirectory directory;
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    const FilePtr file = *co_await environment.files().open(directory / "a", OpenMode::create);
    Bytes large(9u << 20);
    for (size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::byte>(i * 31 >> 7);
    const ByteView parts[] = {ByteView(large).first(12345), ByteView(large).subspan(12345)};
    EXPECT_TRUE(co_await file->write_at(0, parts));
    Bytes back(large.size() + 1);
    EXPECT_EQ(*co_await file->read_at(0, back), large.size());
    back.resize(large.size());
    EXPECT_EQ(back, large);
    Bytes waited(large.size() + 1);
    EXPECT_EQ(*file->read_waiting(0, waited), large.size());
    waited.resize(large.size());
    EXPECT_EQ(waited, large);
  });
}

TEST(DiskFile, a_read_that_is_made_once_leaves_the_page_cache_as_it_was) {
  TemporaryDirectory directory;
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    const FilePtr file = *co_await environment.files().open(directory / "a", OpenMode::create);
    const Bytes contents(1 << 20, std::byte{7});
    const ByteView parts[] = {contents};
    EXPECT_TRUE(co_await file->write_at(0, parts));
    EXPECT_TRUE(co_await file->sync());
    const auto& disk_file = dynamic_cast<const DiskFile&>(*file);
    EXPECT_EQ(posix_fadvise(file->native_handle(), 0, 0, POSIX_FADV_DONTNEED), 0);
    const bool can_tell = disk_file.cached_pages(0, contents.size()) == 0;  // not in memory, and the system says so
    Bytes back(256 << 10);
    EXPECT_EQ(*co_await file->read_once_at(0, back), back.size());
    EXPECT_TRUE(equal(back, ByteView(contents).first(back.size())));
    if (can_tell) EXPECT_EQ(disk_file.cached_pages(0, contents.size()), 0U);
    EXPECT_EQ(*co_await file->read_at(512 << 10, back), back.size());
    EXPECT_EQ(*co_await file->read_once_at(512 << 10, back), back.size());
    if (can_tell) EXPECT_GE(*disk_file.cached_pages(512 << 10, back.size()), back.size() / 4096);
  });
}

// A file of sevens that has left the page cache.
task<FilePtr> make_cold_file(Environment& environment, std::string path, size_t size_bytes) {
  FilePtr file = *co_await environment.files().open(path, OpenMode::create);
  const Bytes contents(size_bytes, std::byte{7});
  const ByteView parts[] = {contents};
  EXPECT_TRUE(co_await file->write_at(0, parts));
  EXPECT_TRUE(co_await file->sync());
  EXPECT_EQ(posix_fadvise(file->native_handle(), 0, 0, POSIX_FADV_DONTNEED), 0);
  co_return file;
}

// False where files lie in memory, and where the system does not say.
bool can_be_cold(const DiskFile& file) { return file.cached_pages(0, 1) == 0; }

TEST(DiskFile, what_is_brought_in_is_in_the_page_cache_as_far_as_the_file_goes) {
  TemporaryDirectory directory;
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    constexpr size_t size = 1 << 20;
    const FilePtr file = co_await make_cold_file(environment, directory / "a", size);
    auto& disk_file = dynamic_cast<DiskFile&>(*file);
    if (!can_be_cold(disk_file)) co_return;
    co_await disk_file.bring_into_cache(100'000, 256 << 10);
    EXPECT_TRUE(disk_file.is_cached(100'000, 256 << 10));
    EXPECT_FALSE(disk_file.is_cached(0, size));
    co_await disk_file.bring_into_cache(900'000, 1 << 20);
    EXPECT_TRUE(disk_file.is_cached(900'000, size - 900'000));
  });
}

TEST(DiskFile, a_page_that_is_being_read_is_not_in_the_page_cache_yet) {
  TemporaryDirectory directory;
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    constexpr uint64_t range = 256 << 10;  // what one call sends
    constexpr uint64_t size = 128 * range;
    const FilePtr file = co_await make_cold_file(environment, directory / "a", size);
    const auto& disk_file = dynamic_cast<const DiskFile&>(*file);
    if (!can_be_cold(disk_file)) co_return;
    Bytes back(range);
    for (uint64_t at = 0; at < size; at += range) {
      EXPECT_EQ(posix_fadvise(file->native_handle(), static_cast<off_t>(at), range, POSIX_FADV_WILLNEED), 0);
      bool is_cached = false;
      for (int look = 0; look < 100'000 && !is_cached; ++look) is_cached = disk_file.is_cached(at, range);
      if (is_cached) EXPECT_EQ(disk_file.read_cached(at, back), range) << "at " << at;
    }
  });
}

TEST(DiskFile, reads_what_has_left_the_page_cache) {
  TemporaryDirectory directory;
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    const Bytes contents(200'000, std::byte{7});
    const FilePtr file = co_await make_cold_file(environment, directory / "a", contents.size());
    Bytes back(contents.size());
    EXPECT_EQ(*co_await file->read_at(0, back), contents.size());
    EXPECT_EQ(back, contents);
  });
}

TEST(DiskFileSystem, opens_as_the_mode_says) {
  TemporaryDirectory directory;
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    FileSystem& files = environment.files();
    const std::string path = directory / "a";
    EXPECT_EQ((co_await files.open(path, OpenMode::read_write)).error().error_number, ENOENT);
    const ByteView text[] = {as_bytes("text")};
    EXPECT_TRUE(co_await (*co_await files.open(path, OpenMode::create))->write_at(0, text));
    EXPECT_TRUE(co_await (*co_await files.open(path, OpenMode::create))->write_at(4, text));
    EXPECT_EQ(co_await text_of(files, path), "texttext");
    EXPECT_TRUE(co_await (*co_await files.open(path, OpenMode::read_write))->write_at(8, text));
    EXPECT_EQ(co_await text_of(files, path), "texttexttext");
    EXPECT_TRUE(co_await files.open(path, OpenMode::truncate));
    EXPECT_EQ(co_await text_of(files, path), "");
    EXPECT_EQ((co_await files.open(directory / "missing/a", OpenMode::create)).error(), (IoError{ENOENT, "open", directory / "missing/a"}));
  });
}

TEST(DiskFile, errors_name_the_operation_the_path_and_the_number) {
  TemporaryDirectory directory;
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    FileSystem& files = environment.files();
    EXPECT_EQ((co_await files.open(directory / "missing", OpenMode::read)).error(),
              (IoError{ENOENT, "open", directory / "missing"}));
    EXPECT_EQ((co_await files.open(directory.path(), OpenMode::read)).error().error_number, EISDIR);
    EXPECT_TRUE(co_await files.open(directory / "a", OpenMode::create_new));
    EXPECT_EQ((co_await files.open(directory / "a", OpenMode::create_new)).error().error_number, EEXIST);
    const FilePtr file = *co_await files.open(directory / "a", OpenMode::read);
    const ByteView parts[] = {as_bytes("x")};
    EXPECT_EQ((co_await file->write_at(0, parts)).error(), (IoError{EBADF, "write", directory / "a"}));
    EXPECT_EQ((co_await files.remove(directory / "missing")).error().error_number, ENOENT);
    EXPECT_EQ((co_await files.sync_directory(directory / "missing")).error().error_number, ENOENT);
    EXPECT_EQ((co_await files.status(directory / "missing")).error().error_number, ENOENT);
  });
}

TEST(DiskFileSystem, lists_renames_removes_and_tells_status) {
  TemporaryDirectory directory;
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    FileSystem& files = environment.files();
    EXPECT_TRUE(co_await files.create_directories(directory / "t-0/inner"));
    EXPECT_TRUE(co_await files.create_directories(directory / "t-0/inner"));
    EXPECT_TRUE(co_await write_file_atomically(files, directory / "t-0/b", to_bytes("12345")));
    EXPECT_TRUE(co_await files.rename(directory / "t-0/b", directory / "t-0/a"));
    EXPECT_TRUE(co_await files.sync_directory(directory / "t-0"));
    EXPECT_TRUE(co_await files.set_modified_ms(directory / "t-0/a", 1'700'000'000'123));
    const auto entries = *co_await files.list(directory / "t-0");
    EXPECT_EQ(entries.size(), 2u);
    EXPECT_EQ(entries[0].name, "a");
    EXPECT_FALSE(entries[0].is_directory);
    EXPECT_TRUE(entries[1].is_directory);
    const FileStatus status = *co_await files.status(directory / "t-0/a");
    EXPECT_EQ(status.size_bytes, 5u);
    EXPECT_EQ(status.modified_ms, 1'700'000'000'123);
    EXPECT_GT((co_await files.space(directory.path()))->free_bytes, 0u);
    EXPECT_EQ((co_await files.create_directories(directory / "t-0/a")).error().error_number, ENOTDIR);
    EXPECT_TRUE(co_await remove_tree(files, directory / "t-0"));
    EXPECT_EQ((co_await files.status(directory / "t-0")).error().error_number, ENOENT);
  });
}

TEST(DiskFileSystem, knows_one_directory_by_all_its_names) {
  TemporaryDirectory directory;
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    FileSystem& files = environment.files();
    EXPECT_TRUE(co_await files.create_directories(directory / "there"));
    EXPECT_TRUE(co_await files.create_directories(directory / "other"));
    EXPECT_EQ(symlink((directory / "there").c_str(), (directory / "link").c_str()), 0);
    const std::string there = *co_await files.identity(directory / "there");
    EXPECT_EQ(*co_await files.identity(directory / "there/"), there);
    EXPECT_EQ(*co_await files.identity(directory / "./other/../there"), there);
    EXPECT_EQ(*co_await files.identity(directory / "link"), there);
    EXPECT_NE(*co_await files.identity(directory / "other"), there);
    // What is not there yet.
    EXPECT_EQ(*co_await files.identity(directory / "link/new/data/"), *co_await files.identity(directory / "there/new/./data"));
    EXPECT_NE(*co_await files.identity(directory / "there/new"), *co_await files.identity(directory / "other/new"));
    EXPECT_FALSE(co_await files.status(directory / "there/new"));
  });
}

TEST(FileLock, keeps_others_out_until_it_goes) {
  TemporaryDirectory directory;
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    FileSystem& files = environment.files();
    const auto other_process_can_lock = [&] {
      const pid_t child = fork();
      if (child == 0) {
        const int descriptor = open((directory / ".lock").c_str(), O_RDWR);
        struct flock whole {};
        whole.l_type = F_WRLCK;
        _exit(fcntl(descriptor, F_SETLK, &whole) == 0 ? 0 : 1);
      }
      int status = 0;
      waitpid(child, &status, 0);
      return WEXITSTATUS(status) == 0;
    };
    {
      const auto held = co_await files.lock(directory / ".lock");
      EXPECT_TRUE(held);
      EXPECT_FALSE(other_process_can_lock());
      EXPECT_EQ((co_await files.lock(directory / ".lock")).error().error_number, EWOULDBLOCK);
      EXPECT_FALSE(other_process_can_lock());  // the refused attempt has not dropped the first lock
    }
    EXPECT_TRUE(other_process_can_lock());
    EXPECT_TRUE(co_await files.lock(directory / ".lock"));
  });
}

}  // namespace
}  // namespace moldau::runtime::real

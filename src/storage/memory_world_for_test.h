// For tests: a file system in memory, which can be full and fail on demand, and an environment around it whose clock
// moves when told. `now(task)` runs a task to its end and gives its value.
#pragma once

#include <cerrno>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "runtime/environment.h"
#include "runtime/signal.h"

namespace moldau::storage::test {

// A shard without a thread: what is queued runs when now() is called.
class MemoryShard : public runtime::Shard {
 public:
  MemoryShard() : runtime::Shard(0) { set_current(this); }
  ~MemoryShard() override { set_current(nullptr); }
  void post(runtime::Job job) override { queue_.push_back(std::move(job)); }
  void resume_soon(std::coroutine_handle<> waiting) override {
    queue_.push_back([waiting] { waiting.resume(); });
  }
  [[nodiscard]] int64_t now_us() const override { return 0; }
  runtime::TimerId call_at(int64_t, runtime::Job) override { MOLDAU_UNREACHABLE("a log has no timers"); }
  void cancel(runtime::TimerId) override {}
  void drain() {
    while (!queue_.empty()) {
      runtime::Job job = std::move(queue_.front());
      queue_.pop_front();
      job();
    }
  }

 private:
  std::deque<runtime::Job> queue_;
};

// Runs a task, and what it queues, to the end.
template <class T>
T now(runtime::task<T> work) {
  std::optional<T> value;
  struct Runner {
    struct promise_type {
      Runner get_return_object() { return {}; }
      std::suspend_never initial_suspend() noexcept { return {}; }
      std::suspend_never final_suspend() noexcept { return {}; }
      void return_void() {}
      [[noreturn]] void unhandled_exception() { MOLDAU_UNREACHABLE("a test's task threw"); }
    };
  };
  [](runtime::task<T> owned, std::optional<T>& into) -> Runner { into.emplace(co_await std::move(owned)); }(std::move(work), value);
  dynamic_cast<MemoryShard&>(runtime::Shard::current()).drain();
  MOLDAU_ASSERT_MSG(value.has_value(), "a task of a test world never ended");
  return std::move(*value);
}
inline void now(runtime::task<void> work) {
  now([](runtime::task<void> owned) -> runtime::task<bool> {
    co_await std::move(owned);
    co_return true;
  }(std::move(work)));
}

class MemoryFileSystem : public runtime::FileSystem {
 public:
  struct Node {
    Bytes bytes;
    int64_t modified_ms = 0;
  };
  using NodePtr = std::shared_ptr<Node>;

  std::map<std::string, NodePtr> files;  // by path
  std::set<std::string> directories;
  int64_t free_space_bytes = INT64_MAX;  // what may still be written
  int64_t total_space_bytes = INT64_MAX;
  int fail_syncs_with = 0;               // an errno value
  std::function<void()> while_syncing;   // what happens meanwhile
  int fail_writes_with = 0;
  std::map<std::string, std::pair<uint64_t, uint64_t>> unreadable;  // of a path: EIO for reads of [first, second)
  int renames_left = INT32_MAX;          // then they fail
  int64_t clock_ms = 0;
  uint64_t opens = 0;
  uint64_t writes = 0;
  uint64_t syncs = 0;
  std::set<std::string> synced;          // paths
  uint64_t file_system_syncs = 0;

  runtime::task<runtime::io_result<runtime::FilePtr>> open(std::string path, runtime::OpenMode mode) override {
    ++opens;
    auto found = files.find(path);
    if (found == files.end()) {
      if (mode == runtime::OpenMode::read || mode == runtime::OpenMode::read_write)
        return error<runtime::FilePtr>(ENOENT, "open", path);
      found = files.emplace(path, std::make_shared<Node>()).first;
      found->second->modified_ms = clock_ms;
    } else if (mode == runtime::OpenMode::create_new) {
      return error<runtime::FilePtr>(EEXIST, "open", path);
    } else if (mode == runtime::OpenMode::truncate) {
      found->second->bytes.clear();
    }
    return runtime::ready(runtime::io_result<runtime::FilePtr>(std::make_shared<Open>(*this, found->second, path)));
  }
  runtime::task<runtime::io_result<>> rename(std::string from, std::string to) override {
    if (renames_left == 0) return error<void>(EIO, "rename", from);
    --renames_left;
    if (directories.contains(from)) {
      directories.erase(from);
      directories.insert(to);
      std::map<std::string, NodePtr> moved;
      for (auto& [path, node] : files)
        moved[path.starts_with(from + "/") ? to + path.substr(from.size()) : path] = node;
      files = std::move(moved);
      return done();
    }
    auto found = files.find(from);
    if (found == files.end()) return error<void>(ENOENT, "rename", from);
    files[to] = found->second;
    files.erase(from);
    return done();
  }
  runtime::task<runtime::io_result<>> remove(std::string path) override {
    if (files.erase(path) == 0 && directories.erase(path) == 0) return error<void>(ENOENT, "remove", path);
    return done();
  }
  runtime::task<runtime::io_result<>> create_directories(std::string path) override {
    for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
      directories.insert(path.substr(0, slash));
    directories.insert(path);
    return done();
  }
  runtime::task<runtime::io_result<>> sync_directory(std::string) override { return done(); }
  runtime::task<runtime::io_result<std::vector<runtime::DirectoryEntry>>> list(std::string path) override {
    if (!directories.contains(path)) return error<std::vector<runtime::DirectoryEntry>>(ENOENT, "list", path);
    std::map<std::string, bool> names;
    const auto add = [&](const std::string& inner, bool is_directory) {
      if (!inner.starts_with(path + "/")) return;
      const std::string rest = inner.substr(path.size() + 1);
      if (rest.find('/') == std::string::npos) names[rest] = is_directory;
    };
    for (const auto& [name, node] : files) add(name, false);
    for (const std::string& name : directories) add(name, true);
    std::vector<runtime::DirectoryEntry> entries;
    for (const auto& [name, is_directory] : names) entries.push_back({name, is_directory});
    return runtime::ready(runtime::io_result<std::vector<runtime::DirectoryEntry>>(std::move(entries)));
  }
  runtime::task<runtime::io_result<runtime::FileStatus>> status(std::string path) override {
    if (directories.contains(path))
      return runtime::ready(runtime::io_result<runtime::FileStatus>(runtime::FileStatus{0, 0, true}));
    const auto found = files.find(path);
    if (found == files.end()) return error<runtime::FileStatus>(ENOENT, "status", path);
    return runtime::ready(runtime::io_result<runtime::FileStatus>(
        runtime::FileStatus{found->second->bytes.size(), found->second->modified_ms, found->second->modified_ms, false}));
  }
  runtime::task<runtime::io_result<>> set_modified_ms(std::string path, int64_t modified_ms) override {
    const auto found = files.find(path);
    if (found == files.end()) return error<void>(ENOENT, "utimes", path);
    found->second->modified_ms = modified_ms;
    return done();
  }
  runtime::task<runtime::io_result<std::unique_ptr<runtime::FileLock>>> lock(std::string path) override {
    using Lock = std::unique_ptr<runtime::FileLock>;
    if (!locks_.insert(path).second) return error<Lock>(EWOULDBLOCK, "lock", path);
    files.try_emplace(path, std::make_shared<Node>());
    return runtime::ready(runtime::io_result<Lock>(std::make_unique<Locked>(locks_, path)));
  }
  runtime::task<runtime::io_result<runtime::DiskSpace>> space(std::string) override {
    return runtime::ready(runtime::io_result<runtime::DiskSpace>(runtime::DiskSpace{
        .total_bytes = static_cast<uint64_t>(total_space_bytes), .free_bytes = static_cast<uint64_t>(free_space_bytes)}));
  }

  [[nodiscard]] Bytes& bytes_of(const std::string& path) {
    MOLDAU_ASSERT(files.contains(path));
    return files.at(path)->bytes;
  }

 private:
  struct Locked : runtime::FileLock {
    Locked(std::set<std::string>& in, std::string path) : locks(in), name(std::move(path)) {}
    ~Locked() override { locks.erase(name); }
    std::set<std::string>& locks;
    std::string name;
  };

  class Open : public runtime::File {
   public:
    Open(MemoryFileSystem& in, NodePtr node, std::string path) : in_(in), node_(std::move(node)), path_(std::move(path)) {}
    [[nodiscard]] const std::string& path() const override { return path_; }
    runtime::task<runtime::io_result<size_t>> read_at(uint64_t position, MutableByteView into) override {
      return runtime::ready(read_waiting(position, into));
    }
    runtime::io_result<size_t> read_waiting(uint64_t position, MutableByteView into) override {
      if (const auto bad = in_.unreadable.find(path_); bad != in_.unreadable.end() &&
          position < bad->second.second && position + into.size() > bad->second.first)
        return fail(runtime::IoError{EIO, "read", path_});
      const size_t size = position < node_->bytes.size() ? std::min(into.size(), node_->bytes.size() - position) : 0;
      if (size > 0) std::memcpy(into.data(), node_->bytes.data() + position, size);
      return size;
    }
    runtime::task<runtime::io_result<>> write_at(uint64_t position, std::span<const ByteView> parts) override {
      return runtime::ready(write_now(position, parts));
    }
    runtime::io_result<> write_waiting(uint64_t position, ByteView bytes) override { return write_now(position, {&bytes, 1}); }
    runtime::task<runtime::io_result<>> sync() override {
      ++in_.syncs;
      in_.synced.insert(path_);
      if (in_.while_syncing) in_.while_syncing();
      if (in_.fail_syncs_with != 0) return error<void>(in_.fail_syncs_with, "fdatasync", path_);
      return done();
    }
    runtime::task<runtime::io_result<>> sync_file_system() override {
      ++in_.file_system_syncs;
      if (in_.fail_syncs_with != 0) return error<void>(in_.fail_syncs_with, "syncfs", path_);
      return done();
    }
    runtime::task<runtime::io_result<>> truncate(uint64_t size_bytes) override {
      node_->bytes.resize(size_bytes);
      return done();
    }
    runtime::task<runtime::io_result<uint64_t>> size() override {
      return runtime::ready(runtime::io_result<uint64_t>(node_->bytes.size()));
    }

   private:
    runtime::io_result<> write_now(uint64_t position, std::span<const ByteView> parts) {
      ++in_.writes;
      if (in_.fail_writes_with != 0) return fail(runtime::IoError{in_.fail_writes_with, "write", path_});
      for (const ByteView part : parts) {
        size_t size = part.size();
        // A full disk takes what fits, like a real one.
        if (static_cast<int64_t>(size) > in_.free_space_bytes) size = static_cast<size_t>(in_.free_space_bytes);
        in_.free_space_bytes -= static_cast<int64_t>(size);
        if (node_->bytes.size() < position + size) node_->bytes.resize(position + size);
        if (size > 0) std::memcpy(node_->bytes.data() + position, part.data(), size);
        node_->modified_ms = in_.clock_ms;
        position += size;
        if (size < part.size()) return fail(runtime::IoError{ENOSPC, "write", path_});
      }
      return {};
    }

    MemoryFileSystem& in_;
    NodePtr node_;
    std::string path_;
  };

  template <class T>
  static runtime::task<runtime::io_result<T>> error(int number, const char* operation, std::string subject) {
    return runtime::ready(runtime::io_result<T>(std::unexpected(runtime::IoError{number, operation, std::move(subject)})));
  }
  static runtime::task<runtime::io_result<>> done() { return runtime::ready(runtime::io_result<>()); }

  std::set<std::string> locks_;
};

class MemoryEnvironment : public runtime::Environment {
 public:
  MemoryFileSystem disk;
  static constexpr int64_t first_clock_ms = 1'750'000'000'000;
  int64_t clock_ms = first_clock_ms;
  int64_t lag_ms = 0;  // what passed without the wall clock; negative: how far that has jumped ahead
  std::string boot = "boot-1";

  void advance_ms(int64_t by) { disk.clock_ms = clock_ms += by; }
  void jump_ms(int64_t by) {
    advance_ms(by);
    lag_ms -= by;
  }

  [[nodiscard]] const std::vector<runtime::Shard*>& shards() const override { return shards_; }
  [[nodiscard]] runtime::Shard& quorum_shard() const override { return *shards_.front(); }
  [[nodiscard]] runtime::FileSystem& files() override { return disk; }
  [[nodiscard]] runtime::Network& network() override { MOLDAU_UNREACHABLE("a log needs no network"); }
  [[nodiscard]] int64_t wall_clock_ms() const override { return clock_ms; }
  [[nodiscard]] int64_t uptime_ms() const override { return clock_ms - first_clock_ms + lag_ms; }
  [[nodiscard]] std::string boot_id() const override { return boot; }
  [[nodiscard]] uint64_t random() override { return random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL; }
  // Work off the shard is done at once, or held until it is called for.
  bool holds_off_shard_work = false;
  int off_shard_works = 0;
  void finish_off_shard_work() {
    holds_off_shard_work = false;
    off_shard_released_.notify_all();
    shard_.drain();
  }
  runtime::task<void> run_off_shard(runtime::Job work) override {
    ++off_shard_works;
    while (holds_off_shard_work) co_await off_shard_released_.wait();
    work();
  }

 private:
  MemoryShard shard_;
  runtime::Signal off_shard_released_;
  std::vector<runtime::Shard*> shards_{&shard_};
  uint64_t random_ = 1;
};

}  // namespace moldau::storage::test

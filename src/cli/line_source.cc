#include "cli/line_source.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/assert.h"

namespace moldau::cli {

namespace {

constexpr size_t chunk_bytes = 64 * 1024;
constexpr size_t chunks_max = 8;

}  // namespace

struct LineSource::Shared {
  std::mutex mutex;
  std::condition_variable taken;
  std::deque<std::string> chunks;
  bool is_ended = false;
  bool is_over = false;  // nobody will take any more
  runtime::Shard* home = nullptr;
  StopRequest* stop = nullptr;
};

LineSource::LineSource(int descriptor, StopRequest& stop) : stop_(stop), shared_(std::make_shared<Shared>()) {
  shared_->home = &runtime::Shard::current();
  shared_->stop = &stop;
  MOLDAU_ASSERT(::pipe(wake_) == 0);
  thread_ = std::thread(&LineSource::read_all, shared_, descriptor, wake_[0]);
}

LineSource::~LineSource() {
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->is_over = true;
    shared_->taken.notify_all();
  }
  ::close(wake_[1]);
  thread_.join();
  ::close(wake_[0]);
}

void LineSource::read_all(std::shared_ptr<Shared> shared, int descriptor, int wake_descriptor) {
  while (true) {
    pollfd watched[2] = {{descriptor, POLLIN, 0}, {wake_descriptor, POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0 && errno == EINTR) continue;
    if (watched[1].revents != 0) return;
    std::string chunk(chunk_bytes, '\0');
    const ssize_t got = ::read(descriptor, chunk.data(), chunk.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    chunk.resize(got > 0 ? static_cast<size_t>(got) : 0);
    std::unique_lock lock(shared->mutex);
    shared->taken.wait(lock, [&] { return shared->chunks.size() < chunks_max || shared->is_over; });
    if (shared->is_over) return;
    if (got > 0)
      shared->chunks.push_back(std::move(chunk));
    else
      shared->is_ended = true;
    shared->home->post([stop = shared->stop] { stop->changed.notify_all(); });
    if (got <= 0) return;
  }
}

task<std::optional<std::string>> LineSource::next() {
  while (!stop_.is_requested) {
    const size_t end = buffer_.find('\n', scanned_);
    if (end != std::string::npos) {
      std::string line = buffer_.substr(start_, end - start_);
      start_ = scanned_ = end + 1;
      co_return line;
    }
    buffer_.erase(0, start_);
    start_ = 0;
    scanned_ = buffer_.size();
    bool is_ended = false;
    bool has_more = false;
    {
      const std::scoped_lock lock(shared_->mutex);
      has_more = !shared_->chunks.empty();
      if (has_more) {
        buffer_ += shared_->chunks.front();
        shared_->chunks.pop_front();
        shared_->taken.notify_all();
      }
      is_ended = shared_->is_ended && !has_more;
    }
    if (has_more) continue;
    if (is_ended) {
      if (buffer_.empty()) co_return std::nullopt;
      std::string line = std::exchange(buffer_, {});
      scanned_ = 0;
      co_return line;
    }
    co_await stop_.changed.wait();
  }
  co_return std::nullopt;
}

}  // namespace moldau::cli

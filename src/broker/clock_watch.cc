#include "broker/clock_watch.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "base/log.h"

namespace moldau::broker {

using runtime::task;

namespace {

constexpr std::string_view clock_file = ".moldau_clock";
constexpr int64_t write_interval_ms = 3'600'000;
constexpr int looks_until_put_back = 24;  // one each hour
constexpr int64_t believed_downtime_ms = 86'400'000;  // after a reboot

std::string_view value_of(std::string_view text, std::string_view key) {
  const size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + key.size());
  return text.substr(0, text.find('\n'));
}

std::optional<int64_t> number_in(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty() ? std::optional(number) : std::nullopt;
}

}  // namespace

ClockWatch::ClockWatch(runtime::Environment& environment, runtime::TrustedClock& clock, std::string directory)
    : environment_(environment), clock_(clock), path_(fmt::format("{}/{}", directory, clock_file)) {}

task<void> ClockWatch::start() {
  const auto text = co_await runtime::read_file(environment_.files(), path_, 4096);
  // What the wall clock said while the file was read is not what is judged now.
  clock_.trust(environment_.wall_clock_ms(), environment_.uptime_ms());
  if (text)
    take(as_text(*text));
  else if (text.error().error_number != ENOENT)
    log_warning("{}", text.error().message());
  written_at_ms_ = environment_.uptime_ms() - write_interval_ms;  // with the first look
  // Where there is none, a clock that jumps before the first look would be the next process's truth.
  if (!text && text.error().error_number == ENOENT) co_await write();
  tell();
}

void ClockWatch::take(std::string_view written) {
  const auto wall_ms = number_in(value_of(written, "wall.ms="));
  const auto uptime_ms = number_in(value_of(written, "uptime.ms="));
  if (!wall_ms || !uptime_ms) return log_warning("{} cannot be read; the clock is taken as it is", path_);
  const std::string_view boot_id = value_of(written, "boot.id=");
  if (!boot_id.empty() && boot_id == environment_.boot_id()) return clock_.trust(*wall_ms, *uptime_ms);
  // Since then at least the time has passed which the machine is up.
  const int64_t since_ms = clock_.steady_ms() - (*wall_ms + environment_.uptime_ms());
  if (since_ms < 0 || since_ms > believed_downtime_ms) clock_.trust(*wall_ms, 0);
}

void ClockWatch::tell() {
  const int64_t ahead_ms = clock_.ahead_ms();
  if ((ahead_ms > 0) == is_ahead_) return;
  is_ahead_ = ahead_ms > 0;
  if (!is_ahead_) return log_info("the clock is believed again; retention by time goes on by it");
  log_error("the clock is {} s ahead of what it should be: nothing is deleted for its age by it. Set it right, or, if it is right, say so: "
            "kafka-configs --entity-type brokers --entity-default --alter --add-config moldau.retention.clock.jump.max.ms={}",
            ahead_ms / 1000, ahead_ms + believed_downtime_ms);
}

task<void> ClockWatch::look() {
  const bool was_ahead = is_ahead_;
  tell();
  if (was_ahead == is_ahead_ && environment_.uptime_ms() - written_at_ms_ < write_interval_ms) co_return;
  // One that was put back may come back as far, as on a machine that asks the network for the time only after a while.
  const bool is_behind = clock_.steady_ms() - environment_.wall_clock_ms() > std::max<int64_t>(clock_.bound_ms(), 0);
  looks_behind_ = is_behind ? looks_behind_ + 1 : 0;
  if (!is_behind || looks_behind_ >= looks_until_put_back) clock_.follow();
  co_await write();
}

task<void> ClockWatch::write() {
  written_at_ms_ = environment_.uptime_ms();
  const auto written = co_await runtime::write_file_atomically(
      environment_.files(), path_,
      to_bytes(fmt::format("wall.ms={}\nuptime.ms={}\nboot.id={}\n", clock_.steady_ms(), written_at_ms_, environment_.boot_id())));
  if (!written) log_warning("{}", written.error().message());
}

}  // namespace moldau::broker

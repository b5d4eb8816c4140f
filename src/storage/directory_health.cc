#include "storage/directory_health.h"

#include "base/log.h"
#include "base/mutant.h"
#include "storage/run_file.h"

namespace moldau::storage {

void DirectoryHealth::set_offline(const std::string& why) {
  if (offline_.exchange(true)) return;
  // Before anything else: a process that is killed before it has noted this would show the next one what no flush will ever write.
  if (run_file_ != nullptr && !MOLDAU_MUTANT("failed-flush-noted-late"))
    is_noted_.store(note_failed_flush(*run_file_, why).has_value(), std::memory_order_release);
  log_error("log directory {} is offline: {}", path_, why);
  if (on_offline_) on_offline_();
}

}  // namespace moldau::storage

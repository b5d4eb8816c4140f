// What the operating system and the allocator say of this process: memory, CPU time, open files, threads, and
// the build. Any thread.
#pragma once

#include <string_view>
#include <vector>

#include "base/metrics.h"

namespace moldau::admin {

// process_resident_memory_bytes, process_virtual_memory_bytes, process_cpu_seconds_total, process_open_fds,
// process_max_fds, process_threads, process_start_time_seconds (Prometheus's usual names), moldau_heap_bytes
// (in use) and moldau_build_info{version,compiler} = 1. What cannot be read is left out.
[[nodiscard]] std::vector<MetricFamily> process_metrics(std::string_view version);

}  // namespace moldau::admin

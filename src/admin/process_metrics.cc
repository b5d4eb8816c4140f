#include "admin/process_metrics.h"

#include <dirent.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace moldau::admin {

namespace {

MetricFamily single(std::string name, std::string help, MetricKind kind, double value) {
  return {std::move(name), std::move(help), kind, {MetricSample{.value = value}}};
}

// The fields of /proc/self/stat after the command's name, which may hold anything.
std::vector<std::string> process_stat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const size_t end_of_name = line.rfind(')');
  if (end_of_name == std::string::npos) return {};
  std::istringstream rest(line.substr(end_of_name + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

std::optional<double> boot_time_seconds() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
    file.ignore(1 << 20, '\n');
  }
  return std::nullopt;
}

int open_files() {
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return -1;
  int count = -3;  // ., .. and the directory itself
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

}  // namespace

std::vector<MetricFamily> process_metrics(std::string_view version) {
  std::vector<MetricFamily> families;
  const auto gauge = [&families](std::string name, std::string help, double value) {
    families.push_back(single(std::move(name), std::move(help), MetricKind::gauge, value));
  };
  const std::vector<std::string> stat = process_stat();
  const auto field = [&stat](size_t number) {
    return std::stod(stat[number - 3]);
  };  // numbered as in proc(5)
  if (stat.size() >= 22) {
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    families.push_back(single("process_cpu_seconds_total", "CPU time used, user and system.",
                              MetricKind::counter, (field(14) + field(15)) / ticks));
    gauge("process_threads", "Threads of the process.", field(20));
    gauge("process_virtual_memory_bytes", "Virtual memory.", field(23));
    gauge("process_resident_memory_bytes", "Resident memory.",
          field(24) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    if (const auto boot = boot_time_seconds())
      gauge("process_start_time_seconds", "Start of the process, in seconds since 1970.",
            *boot + field(22) / ticks);
  }
  if (const int count = open_files(); count >= 0) gauge("process_open_fds", "Open file descriptors.", count);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    gauge("process_max_fds", "The limit on open file descriptors.", static_cast<double>(limit.rlim_cur));
  const struct mallinfo2 heap = ::mallinfo2();
  gauge("moldau_heap_bytes", "Bytes of the heap that are in use.",
        static_cast<double>(heap.uordblks + heap.hblkhd));
  families.push_back(
      {"moldau_build_info",
       "Always 1; the labels say what this is.",
       MetricKind::gauge,
       {MetricSample{.labels = {{"version", std::string(version)}, {"compiler", __VERSION__}}, .value = 1}}});
  return families;
}

}  // namespace moldau::admin

// Runs seeds of the simulated world, each in a process of its own, and says which failed.
//
//   simulate [--seeds N | A..B] [--jobs 2] [--again 10] [--until-failure] [--limit-seconds 120] [--hashes] [--trace]
//
// --seeds 200 runs 0 to 199. Every --again-th seed runs twice and must leave the same trace. --until-failure starts no
// other seed once one has failed. --hashes prints each seed's trace hash, to compare builds. --trace needs one seed and
// prints every event. Exit code 1 if a seed failed.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "run_seed.h"

namespace moldau::sim {
namespace {

struct Settings {
  uint64_t first = 0;
  uint64_t last = 199;
  int jobs = 2;
  uint64_t again = 10;
  int limit_seconds = 120;  // of a seed's real time
  bool until_failure = false;
  bool hashes = false;
  bool trace = false;
};

[[noreturn]] void usage() {
  std::fputs("usage: simulate [--seeds N | A..B] [--jobs 2] [--again 10] [--until-failure] [--limit-seconds 120] [--hashes] [--trace]\n", stderr);
  std::exit(2);
}

Settings parse(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--trace" || word == "--hashes" || word == "--until-failure") {
      (word == "--trace" ? settings.trace : word == "--hashes" ? settings.hashes : settings.until_failure) = true;
      continue;
    }
    if (i + 1 == argc) usage();
    const std::string value = argv[++i];
    if (word == "--seeds") {
      const size_t dots = value.find("..");
      settings.first = dots == std::string::npos ? 0 : std::strtoull(value.c_str(), nullptr, 10);
      settings.last = dots == std::string::npos ? std::strtoull(value.c_str(), nullptr, 10) - 1 : std::strtoull(value.c_str() + dots + 2, nullptr, 10);
    } else if (word == "--jobs") {
      settings.jobs = std::max(1, std::atoi(value.c_str()));
    } else if (word == "--again") {
      settings.again = std::strtoull(value.c_str(), nullptr, 10);
    } else if (word == "--limit-seconds") {
      settings.limit_seconds = std::atoi(value.c_str());
    } else {
      usage();
    }
  }
  if (settings.trace && settings.first != settings.last) usage();
  return settings;
}

// What a child says: a line "hash H ...", and a line "fault TEXT" for each.
void run_in_child(uint64_t seed, int out) {
  const SeedResult result = run_seed({.seed = seed});
  std::string text = fmt::format("hash {:016x} events {} simulated_ms {} acknowledged {} read {} commits {} boots {} moves {}\n", result.trace_hash, result.events,
                                 result.simulated_us / 1000, result.acknowledged, result.read, result.commits, result.boots, result.moves);
  for (const std::string& fault : result.faults) text += "fault " + fault + "\n";
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = write(out, text.data() + done, text.size() - done);
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
}

struct Child {
  uint64_t seed;
  pid_t process;
  int pipe;
  std::string said;
};

Child start(uint64_t seed, int limit_seconds) {
  int ends[2];
  if (pipe(ends) != 0) std::exit(2);
  std::fflush(stdout);
  const pid_t process = fork();
  if (process == 0) {
    close(ends[0]);
    dup2(ends[1], STDERR_FILENO);  // what an assertion says belongs to the result
    alarm(static_cast<unsigned>(limit_seconds));
    run_in_child(seed, ends[1]);
    _exit(0);
  }
  close(ends[1]);
  return {seed, process, ends[0], {}};
}

struct Outcome {
  std::string first_line;
  std::vector<std::string> faults;
};

Outcome finish(Child& child, int limit_seconds) {
  int status = 0;
  waitpid(child.process, &status, 0);
  close(child.pipe);
  Outcome outcome;
  std::string noise;
  if (!child.said.empty() && child.said.back() != '\n') child.said += '\n';
  for (size_t at = 0; at < child.said.size();) {
    const size_t end = child.said.find('\n', at);
    const std::string line = child.said.substr(at, end - at);
    if (line.starts_with("fault "))
      outcome.faults.push_back(line.substr(6));
    else if (line.starts_with("hash "))
      outcome.first_line = line;
    else if (noise.size() < 600)
      noise += "\n    " + line;
    at = end + 1;
  }
  if (WIFSIGNALED(status))
    outcome.faults.push_back(WTERMSIG(status) == SIGALRM ? fmt::format("not at its end after {} s", limit_seconds)
                                                         : fmt::format("ended by signal {} ({}){}", WTERMSIG(status), strsignal(WTERMSIG(status)), noise));
  return outcome;
}

int run_all(const Settings& settings) {
  const auto started = std::chrono::steady_clock::now();
  std::vector<Child> running;
  std::map<uint64_t, std::string> first_lines;
  uint64_t next = settings.first;
  std::vector<uint64_t> again;
  int passed = 0;
  int failed = 0;
  uint64_t acknowledged = 0;
  uint64_t events = 0;
  uint64_t moves = 0;
  while (true) {
    while (static_cast<int>(running.size()) < settings.jobs) {
      if (!again.empty()) {
        running.push_back(start(again.back(), settings.limit_seconds));
        again.pop_back();
      } else if (next <= settings.last && (!settings.until_failure || failed == 0)) {
        running.push_back(start(next++, settings.limit_seconds));
      } else {
        break;
      }
    }
    if (running.empty()) break;
    std::vector<pollfd> waits;
    for (const Child& child : running) waits.push_back({child.pipe, POLLIN, 0});
    poll(waits.data(), waits.size(), -1);
    for (size_t i = running.size(); i-- > 0;) {
      if (waits[i].revents == 0) continue;
      char buffer[4096];
      const ssize_t n = read(running[i].pipe, buffer, sizeof buffer);
      if (n > 0) {
        running[i].said.append(buffer, static_cast<size_t>(n));
        continue;
      }
      Child child = std::move(running[i]);
      running.erase(running.begin() + static_cast<ptrdiff_t>(i));
      Outcome outcome = finish(child, settings.limit_seconds);
      if (const auto first = first_lines.find(child.seed); first != first_lines.end()) {
        if (outcome.faults.empty() && first->second == outcome.first_line) continue;
        if (first->second != outcome.first_line)
          outcome.faults.push_back("the same seed left another trace: " + first->second + ", then " + outcome.first_line);
      } else {
        first_lines[child.seed] = outcome.first_line;
        unsigned long long boots = 0, acks = 0, reads = 0, commits = 0, moves_begun = 0, ms = 0, count = 0, hash = 0;
        if (std::sscanf(outcome.first_line.c_str(), "hash %llx events %llu simulated_ms %llu acknowledged %llu read %llu commits %llu boots %llu moves %llu", &hash, &count, &ms, &acks, &reads, &commits, &boots,
                        &moves_begun) == 8) {
          acknowledged += acks;
          events += count;
          moves += moves_begun;
        }
        if (settings.hashes) fmt::print("{} {:016x}\n", child.seed, hash);
        if (settings.again > 0 && child.seed % settings.again == 0 && outcome.faults.empty()) again.push_back(child.seed);
      }
      if (outcome.faults.empty()) {
        ++passed;
        continue;
      }
      ++failed;
      fmt::print("seed {}: {}\n", child.seed, outcome.first_line);
      for (const std::string& fault : outcome.faults) fmt::print("  {}\n", fault);
      fmt::print("  to look at it: simulate --seeds {0}..{0} --trace\n", child.seed);
      std::fflush(stdout);
    }
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started).count();
  fmt::print("{} records acknowledged, {} moves begun, {} events, {} s\n", acknowledged, moves, events, seconds);
  fmt::print("simulation: {} passed, {} failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

int simulate(int argc, char** argv) {
  const Settings settings = parse(argc, argv);
  if (!settings.trace) return run_all(settings);
  const SeedResult result = run_seed({.seed = settings.first, .trace = true});
  for (const std::string& fault : result.faults) fmt::print("{}\n", fault);
  fmt::print("hash {:016x}, {} events, {} acknowledged, {} read, {} boots, {} faults\n", result.trace_hash, result.events, result.acknowledged, result.read, result.boots, result.faults.size());
  return result.faults.empty() ? 0 : 1;
}

}  // namespace
}  // namespace moldau::sim

int main(int argc, char** argv) { return moldau::sim::simulate(argc, argv); }

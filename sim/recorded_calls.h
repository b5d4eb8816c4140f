// What consumers of both kinds do, each call noted in the history.
#pragma once

#include <map>
#include <set>
#include <string>

#include "client/fetcher.h"
#include "client/groups.h"
#include "runtime/simulated/random.h"
#include "workload.h"

namespace moldau::sim {

// Where one consumer stands.
struct Reader {
  std::string group;
  int process = 0;
  std::map<int, int64_t> next;         // by partition, the offset to be read
  std::set<Partition> repositioned{};  // since the last poll
};

// A fetcher that begins where the reader stands.
[[nodiscard]] client::Fetcher make_fetcher(client::Cluster& cluster, const Workload& workload, const Reader& reader);

// Polls once. False if the fetcher should be made anew.
runtime::task<bool> poll(client::Fetcher& fetcher, Workload& workload, Reader& reader);
// Commits where the reader stands, as `member` of its group or as nobody in it.
runtime::task<bool> commit(client::Cluster& cluster, Workload& workload, Reader reader, client::CommittingMember member = {});
// Asks for the group's offsets of every partition and gives them; -1 for none. Empty: there was no answer.
runtime::task<std::map<int, int64_t>> ask_committed(client::Cluster& cluster, Workload& workload, std::string group);
// Looks a random recent time up in a random partition.
runtime::task<void> look_up_time(client::Cluster& cluster, Workload& workload, runtime::simulated::Random& random);

}  // namespace moldau::sim

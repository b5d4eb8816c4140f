// Members of a classic group: they join, read what they are given from where the group stands, commit with their
// generation, and go on when it ends; at times they commit once more for a generation that may be over, or leave.
#include "client/group_membership.h"
#include "recorded_calls.h"
#include "runtime/scope.h"

namespace moldau::sim {

using client::Cluster;
using client::GroupMembership;
using runtime::Shard;
using runtime::task;
using runtime::simulated::Random;

namespace {

client::GroupMembershipOptions membership_options(const Reader& reader, const std::string& instance_id) {
  client::GroupMembershipOptions options;
  options.group_id = reader.group;
  if (!instance_id.empty()) options.instance_id = instance_id;
  options.topics = {topic_name};
  options.session_timeout_ms = 1500;
  options.rebalance_timeout_ms = 2000;
  options.heartbeat_interval_ms = 300;
  return options;
}

void note_membership(Workload& workload, const Reader& reader, const GroupMembership& member, const std::string& instance_id) {
  Membership& noted = workload.history.memberships.emplace_back();
  noted.group = reader.group;
  noted.identity = instance_id.empty() ? member.member_id() : instance_id;
  noted.generation = member.generation();
  noted.learned_us = Shard::current().now_us();
  for (const client::TopicPartition& one : member.assignment()) noted.partitions.insert(partition_name(one.partition));
}

// Puts the reader where the group stands in what this member was given.
task<bool> take_positions(Cluster& cluster, Workload& workload, Reader& reader, const GroupMembership& member) {
  const std::map<int, int64_t> committed = co_await ask_committed(cluster, workload, reader.group);
  if (committed.empty()) co_return false;
  reader.next.clear();
  for (const client::TopicPartition& one : member.assignment()) {
    reader.next[one.partition] = std::max<int64_t>(committed.at(one.partition), 0);
    reader.repositioned.insert(partition_name(one.partition));
  }
  co_return true;
}

// One generation, until it is over, the connection fails, or the member has had enough.
task<void> be_member(Cluster& cluster, Workload& workload, Reader& reader, GroupMembership& member, Random& random) {
  std::optional<client::Fetcher> fetcher;
  while (!workload.stopping) {
    if (!fetcher) fetcher.emplace(make_fetcher(cluster, workload, reader));
    if (reader.next.empty() || !co_await poll(*fetcher, workload, reader)) {
      co_await runtime::sleep_ms(100);
      fetcher.reset();
    }
    if (random.chance(workload.draining ? 0.7 : 0.3) && !co_await commit(cluster, workload, reader, member.self())) co_return;
    if (random.chance(0.05)) (void)co_await ask_committed(cluster, workload, reader.group);
    const auto goes_on = co_await member.keep_alive();
    if (!goes_on || !*goes_on) {
      // What was processed since the last commit: the coordinator decides whether it still may.
      if (random.chance(0.5)) (void)co_await commit(cluster, workload, reader, member.self());
      co_return;
    }
    if (random.chance(0.01)) {
      (void)co_await member.leave();
      co_await runtime::sleep_ms(random.between(0, 500));
      co_return;
    }
  }
}

// A commit that was sent before the member joined again and arrives behind that, over another connection.
task<void> commit_late(runtime::Environment& environment, Workload& workload, Reader reader, client::CommittingMember as, int64_t delay_ms) {
  co_await runtime::sleep_ms(delay_ms);
  Cluster cluster(environment, cluster_options(workload));
  (void)co_await commit(cluster, workload, std::move(reader), std::move(as));
  co_await cluster.close();
}

}  // namespace

task<void> join_and_consume(runtime::Environment& environment, Workload& workload, std::string group, std::string instance_id,
                            uint64_t seed) {
  Random random(seed);
  while (!workload.topic_exists) co_await runtime::sleep_ms(50);
  Reader reader{.group = group, .process = workload.next_process++, .next = {}};
  runtime::Scope late_commits;
  while (!workload.stopping) {
    Cluster cluster(environment, cluster_options(workload));
    GroupMembership member(cluster, membership_options(reader, instance_id));
    while (!workload.stopping) {
      if (member.generation() >= 0 && random.chance(0.3))
        late_commits.spawn(commit_late(environment, workload, reader, member.self(), random.between(0, 1000)));
      const auto joined = co_await member.join();
      if (!joined) {
        judge(workload, "a joining member", joined.error());
        // The answer may have been lost and the next generation be there: this one is not to be heard any more.
        if (member.generation() >= 0 && random.chance(0.5)) (void)co_await commit(cluster, workload, reader, member.self());
        break;
      }
      note_membership(workload, reader, member, instance_id);
      if (!co_await take_positions(cluster, workload, reader, member)) break;
      co_await be_member(cluster, workload, reader, member, random);
    }
    // Who ends with the world leaves; a member whose connection failed comes back as a new one and is missed.
    if (workload.stopping) (void)co_await member.leave();
    co_await cluster.close();
    co_await runtime::sleep_ms(100);
  }
  co_await late_commits.join();
}

}  // namespace moldau::sim

#include "runtime/simulated/world.h"

#include <gtest/gtest.h>

#include <cerrno>

#include <fmt/format.h>

#include "runtime/simulated/simulated_environment.h"

namespace moldau::runtime::simulated {
namespace {

using ConnectionPtr = std::unique_ptr<Connection>;
constexpr int64_t second_us = 1'000'000;

task<std::string> read_some(Connection& connection, size_t size) {
  std::string text;
  while (text.size() < size) {
    std::byte buffer[700];
    const auto n = co_await connection.read(std::span(buffer).first(std::min(sizeof buffer, size - text.size())));
    if (!n || *n == 0) break;
    text += as_text(std::span(buffer).first(*n));
  }
  co_return text;
}
task<io_result<>> write_text(Connection& connection, std::string text) {
  const OutputPart parts[] = {{.bytes = as_bytes(text)}};
  co_return co_await connection.write(parts);
}

// A server that sends back what it gets and runs until its node is ended from outside.
task<void> echo(Environment&, ConnectionPtr connection) {
  Bytes buffer(1000);
  while (true) {
    const auto n = co_await connection->read(buffer);
    if (!n || *n == 0) break;
    const OutputPart parts[] = {{.bytes = ByteView(buffer).first(*n)}};
    if (!co_await connection->write(parts)) break;
  }
}
task<void> echo_server(Environment& environment) {
  std::vector<std::unique_ptr<Scope>> scopes;
  for (size_t i = 0; i < environment.shards().size(); ++i) scopes.push_back(std::make_unique<Scope>());
  const auto listener = *environment.network().listen({"", 9092}, [&](ConnectionPtr connection) {
    scopes[static_cast<size_t>(Shard::current().index())]->spawn(echo(environment, std::move(connection)));
  });
  Signal never;
  co_await never.wait();
}
const Address server_address{"server", 9092};

// One place for one connection.
struct OnePlace final : Admission {
  bool taken = false;
  Listener* listener = nullptr;

  int64_t wait_us() override { return taken ? until_told : 0; }
  std::shared_ptr<void> admit(const Address&) override {
    taken = true;
    return std::shared_ptr<void>(this, [](OnePlace* self) {
      self->taken = false;
      self->listener->look_again();
    });
  }
};

TEST(World, admission_keeps_a_connection_waiting_until_a_place_is_free) {
  World world(3);
  Node& server = world.add_node("server");
  Node& client = world.add_node("client");
  OnePlace place;
  std::vector<ConnectionPtr> accepted;
  bool freed = false;
  bool done = false;
  world.boot(server, [&](Environment& environment) -> task<void> {
    const auto listener = *environment.network().listen({"", 9092}, [&](ConnectionPtr connection) { accepted.push_back(std::move(connection)); }, {.admission = &place});
    place.listener = listener.get();
    while (accepted.empty()) co_await sleep_ms(1);
    co_await sleep_ms(1000);
    EXPECT_EQ(accepted.size(), 1u);
    EXPECT_NE(&environment.quorum_shard(), environment.shards().front());
    accepted.clear();
    while (accepted.empty()) co_await sleep_ms(1);
    freed = true;
    accepted.clear();
  });
  world.boot(client, [&](Environment& environment) -> task<void> {
    const auto first = *co_await environment.network().connect(server_address, 3000);
    const auto second = *co_await environment.network().connect(server_address, 3000);
    while (!freed) co_await sleep_ms(10);
    done = true;
  });
  EXPECT_TRUE(world.run_until([&] { return done; }, 10 * second_us));
}

struct Talk {
  int done = 0;
  int errors = 0;
};
task<void> talk(Environment& environment, Talk& talk, int rounds, size_t size) {
  for (int i = 0; i < rounds; ++i) {
    auto connection = co_await environment.network().connect(server_address, 3000);
    if (!connection) {
      ++talk.errors;
      continue;
    }
    const std::string text(size, static_cast<char>('a' + i % 26));
    if (!co_await write_text(**connection, text) || co_await read_some(**connection, size) != text)
      ++talk.errors;
    else
      ++talk.done;
  }
}

struct Result {
  uint64_t hash;
  uint64_t events;
  Talk talk;
};
Result run_talk(uint64_t seed, double reset = 0) {
  World world(seed);
  world.wire().faults.reset = reset;
  Node& server = world.add_node("server", 4);
  Node& client = world.add_node("client", 2);
  world.boot(server, echo_server);
  Result result{};
  world.boot(client, [&](Environment& environment) { return talk(environment, result.talk, 30, 3000); });
  EXPECT_TRUE(world.run_until([&] { return !client.is_running(); }, 600 * second_us));
  result.hash = world.trace_hash();
  result.events = world.events();
  return result;
}

TEST(World, connections_carry_bytes_in_order_whatever_the_delays) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Result result = run_talk(seed);
    EXPECT_EQ(result.talk.done, 30);
    EXPECT_EQ(result.talk.errors, 0);
  }
}

TEST(World, one_seed_gives_one_trace_and_another_seed_another) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const Result first = run_talk(seed, 0.01);
    const Result again = run_talk(seed, 0.01);
    EXPECT_EQ(first.hash, again.hash);
    EXPECT_EQ(first.events, again.events);
    EXPECT_NE(first.hash, run_talk(seed + 1000, 0.01).hash);
  }
}

TEST(World, broken_connections_are_seen_as_errors) {
  int done = 0;
  int errors = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Result result = run_talk(seed, 0.02);
    done += result.talk.done;
    errors += result.talk.errors;
    EXPECT_EQ(result.talk.done + result.talk.errors, 30);
  }
  EXPECT_GT(done, 100);
  EXPECT_GT(errors, 20);
}

TEST(World, a_broken_connection_delivers_a_prefix_of_what_was_sent_and_nothing_behind_it) {
  int cut = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    World world(seed);
    world.wire().faults.reset = 0.02;
    Node& server = world.add_node("server");
    Node& client = world.add_node("client");
    world.boot(server, [](Environment& environment) -> task<void> {
      Scope sending;
      const auto listener = *environment.network().listen({"", 9092}, [&](ConnectionPtr connection) {
        sending.spawn([](ConnectionPtr to) -> task<void> {
          for (int i = 0; i < 100; ++i)
            if (!co_await write_text(*to, fmt::format("{:03};", i))) break;
        }(std::move(connection)));
      });
      co_await sleep_ms(10'000);
      co_await sending.join();
    });
    std::string got;
    world.boot(client, [&](Environment& environment) -> task<void> {
      const auto connection = co_await environment.network().connect(server_address, 3000);
      if (connection) got = co_await read_some(**connection, 400);
    });
    EXPECT_TRUE(world.run_until([&] { return !client.is_running(); }, 60 * second_us));
    std::string sent;
    for (int i = 0; i < 100; ++i) sent += fmt::format("{:03};", i);
    EXPECT_TRUE(sent.starts_with(got)) << "seed " << seed << ": " << got;
    if (got.size() < sent.size()) ++cut;
  }
  EXPECT_GT(cut, 10);
}

TEST(World, a_large_write_waits_for_a_slow_reader) {
  World world(5);
  Node& server = world.add_node("server");
  Node& client = world.add_node("client");
  bool written = false;
  size_t got = 0;
  ConnectionPtr accepted;
  world.boot(server, [&](Environment& environment) -> task<void> {
    Signal came;
    const auto listener = *environment.network().listen({"", 9092}, [&](ConnectionPtr connection) {
      accepted = std::move(connection);
      came.notify_all();
    });
    co_await came.wait();
    co_await sleep_ms(2000);
    EXPECT_FALSE(written);  // the window is smaller than what is being written
    got = (co_await read_some(*accepted, 1 << 20)).size();
    accepted.reset();
  });
  world.boot(client, [&](Environment& environment) -> task<void> {
    const auto connection = *co_await environment.network().connect(server_address, 3000);
    EXPECT_TRUE(co_await write_text(*connection, std::string(1 << 20, 'x')));
    written = true;
    std::byte one[1];
    EXPECT_EQ(*co_await connection->read(one), 0u);
  });
  EXPECT_TRUE(world.run_until([&] { return !server.is_running() && !client.is_running(); }, 600 * second_us));
  EXPECT_EQ(got, size_t{1} << 20);
}

TEST(World, connecting_is_refused_times_out_or_finds_no_host) {
  World world(1);
  Node& server = world.add_node("server");
  Node& client = world.add_node("client");
  world.boot(server, [](Environment&) -> task<void> { co_await sleep_ms(1'000'000); });
  std::vector<int> errors;
  world.boot(client, [&](Environment& environment) -> task<void> {
    errors.push_back((co_await environment.network().connect({"server", 1}, 1000)).error().error_number);
    errors.push_back((co_await environment.network().connect({"nowhere", 1}, 1000)).error().error_number);
    world.wire().block("server", "client");
    const int64_t start_us = Shard::current().now_us();
    errors.push_back((co_await environment.network().connect({"server", 1}, 1000)).error().error_number);
    EXPECT_GE(Shard::current().now_us() - start_us, 1'000'000);
  });
  EXPECT_TRUE(world.run_until([&] { return !client.is_running(); }, 60 * second_us));
  EXPECT_EQ(errors, (std::vector<int>{ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT}));
}

TEST(World, a_partition_holds_bytes_back_until_it_heals) {
  World world(2);
  Node& server = world.add_node("server");
  Node& client = world.add_node("client");
  world.boot(server, echo_server);
  int64_t answered_us = 0;
  world.boot(client, [&](Environment& environment) -> task<void> {
    const auto connection = *co_await environment.network().connect(server_address, 3000);
    world.wire().block_both("client", "server");
    world.after(20 * second_us, [&] { world.wire().heal(); });
    EXPECT_TRUE(co_await write_text(*connection, "hello"));
    EXPECT_EQ(co_await read_some(*connection, 5), "hello");
    answered_us = Shard::current().now_us();
  });
  EXPECT_TRUE(world.run_until([&] { return !client.is_running(); }, 60 * second_us));
  EXPECT_GT(answered_us, 20 * second_us);
}

TEST(World, after_a_crash_peers_see_a_reset_and_the_next_boot_serves_again) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    World world(seed);
    Node& server = world.add_node("server", 2);
    Node& client = world.add_node("client");
    world.boot(server, echo_server);
    bool cut_off = false;
    bool served_again = false;
    world.boot(client, [&](Environment& environment) -> task<void> {
      {
        const auto connection = *co_await environment.network().connect(server_address, 3000);
        EXPECT_TRUE(co_await write_text(*connection, "hello"));
        EXPECT_EQ(co_await read_some(*connection, 5), "hello");
        world.after(1000, [&] {
          world.crash(server);
          world.after(second_us, [&] { world.boot(server, echo_server); });
        });
        std::byte one[1];
        cut_off = (co_await connection->read(one)).error().error_number == ECONNRESET;
      }
      while (true) {
        auto connection = co_await environment.network().connect(server_address, 3000);
        if (!connection) continue;
        EXPECT_TRUE(co_await write_text(**connection, "again"));
        served_again = co_await read_some(**connection, 5) == "again";
        break;
      }
    });
    EXPECT_TRUE(world.run_until([&] { return !client.is_running(); }, 60 * second_us));
    EXPECT_TRUE(cut_off);
    EXPECT_TRUE(served_again);
    EXPECT_EQ(server.boots(), 2);
  }
}

// Destructors that would leave a mark if a crash ran them.
struct Mark {
  int* made;
  ~Mark() { ++*made; }
};
TEST(World, a_crash_runs_no_destructor_and_nothing_of_the_dead_process) {
  World world(3);
  Node& node = world.add_node("node", 2);
  int destroyed = 0;
  int woken = 0;
  auto waits = [&](Environment& environment) -> task<void> {
    const Mark mark{&destroyed};
    environment.shards()[1]->post([&woken] { ++woken; });
    co_await sleep_ms(1000);
    ++woken;
  };
  world.boot(node, waits);
  world.run_for(second_us / 2);
  EXPECT_EQ(woken, 1);
  world.crash(node);
  world.run_for(10 * second_us);
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(destroyed, 0);
  world.boot(node, waits);
  EXPECT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us));
  EXPECT_EQ(destroyed, 1);
}

TEST(World, files_last_over_a_kill_and_unsynced_ones_not_always_over_a_crash) {
  int lost = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    World world(seed);
    Node& node = world.add_node("node");
    const World::Main write = [](Environment& environment) -> task<void> {
      const FilePtr file = *co_await environment.files().open("f", OpenMode::create);
      EXPECT_TRUE(co_await environment.files().sync_directory("."));
      const ByteView parts[] = {as_bytes("hello, "), as_bytes("world")};
      EXPECT_TRUE(co_await file->write_at(0, parts));
      const auto lock = co_await environment.files().lock(".lock");
      EXPECT_TRUE(lock);
      EXPECT_EQ((co_await environment.files().lock(".lock")).error().error_number, EWOULDBLOCK);
      co_await sleep_ms(1'000'000);
    };
    std::string text;
    const World::Main read = [&](Environment& environment) -> task<void> {
      EXPECT_TRUE(co_await environment.files().lock(".lock"));
      text = as_text(*co_await read_file(environment.files(), "f"));
    };
    world.boot(node, write);
    world.run_for(10 * second_us);
    world.kill(node);
    world.boot(node, read);
    EXPECT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us));
    EXPECT_EQ(text, "hello, world");
    world.boot(node, [](Environment&) -> task<void> { co_await sleep_ms(1000); });
    world.crash(node);
    world.boot(node, read);
    EXPECT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us));
    if (text != "hello, world") ++lost;
  }
  EXPECT_GT(lost, 0);
  EXPECT_LT(lost, 40);
}

TEST(World, disks_fail_as_they_are_told) {
  World world(4);
  Node& node = world.add_node("node");
  world.boot(node, [&](Environment& environment) -> task<void> {
    const FilePtr file = *co_await environment.files().open("f", OpenMode::create);
    const ByteView parts[] = {as_bytes("hello")};
    node.disk_faults.fail_next_syncs = 1;
    EXPECT_EQ((co_await file->sync()).error(), (IoError{EIO, "fsync", "f"}));
    EXPECT_TRUE(co_await file->sync());
    node.disk_faults.write_error = 1;
    EXPECT_EQ((co_await file->write_at(0, parts)).error().error_number, EIO);
    node.disk_faults.write_error = 0;
    node.disk_faults.read_error = 1;
    std::byte buffer[5];
    EXPECT_EQ((co_await file->read_at(0, buffer)).error().error_number, EIO);
    EXPECT_TRUE(co_await file->truncate(0));
    node.disk.capacity_bytes = 3;
    EXPECT_EQ((co_await file->write_at(0, parts)).error().error_number, ENOSPC);
    EXPECT_EQ(*co_await file->size(), 3u);
    EXPECT_EQ((co_await environment.files().space("."))->free_bytes, 0u);
  });
  EXPECT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us));
}

TEST(World, directories_that_were_made_durably_outlast_every_crash) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    World world(seed);
    Node& node = world.add_node("node");
    bool made = false;
    world.boot(node, [&](Environment& environment) -> task<void> {
      EXPECT_TRUE(co_await make_directories(environment.files(), "/a/b/c/"));
      EXPECT_TRUE(co_await make_directories(environment.files(), "/a/b"));
      made = true;
      co_await sleep_ms(1'000'000);
    });
    EXPECT_TRUE(world.run_until([&] { return made; }, 60 * second_us));
    world.crash(node);
    InodePtr found;
    EXPECT_EQ(node.disk.find("a/b/c", found), 0);
  }
}

TEST(World, operations_on_files_finish_at_once_or_later) {
  World world(6);
  Node& node = world.add_node("node");
  int at_once = 0;
  int later_on = 0;
  world.boot(node, [&](Environment& environment) -> task<void> {
    const FilePtr file = *co_await environment.files().open("f", OpenMode::create);
    for (int i = 0; i < 100; ++i) {
      const int64_t before_us = Shard::current().now_us();
      co_await file->size();
      ++(Shard::current().now_us() == before_us ? at_once : later_on);
    }
  });
  EXPECT_TRUE(world.run_until([&] { return !node.is_running(); }, 60 * second_us));
  EXPECT_GT(at_once, 20);
  EXPECT_GT(later_on, 20);
}

TEST(World, a_paused_node_stands_still_and_clocks_jump) {
  World world(7);
  Node& node = world.add_node("node");
  std::vector<int64_t> ticks_us;
  std::vector<int64_t> wall_ms;
  world.boot(node, [&](Environment& environment) -> task<void> {
    while (true) {
      co_await sleep_ms(100);
      ticks_us.push_back(Shard::current().now_us());
      wall_ms.push_back(environment.wall_clock_ms());
    }
  });
  world.run_for(second_us);
  world.pause(node, 5 * second_us);
  world.run_for(second_us);
  const size_t before = ticks_us.size();
  world.run_for(second_us);
  EXPECT_EQ(ticks_us.size(), before);
  node.clock_offset_ms = -3'600'000;
  world.run_for(10 * second_us);
  EXPECT_GT(ticks_us.size(), before);
  EXPECT_LT(wall_ms.back(), wall_ms.front());
}

TEST(World, files_go_out_over_connections) {
  World world(8);
  Node& server = world.add_node("server");
  Node& client = world.add_node("client");
  world.boot(server, [&](Environment& environment) -> task<void> {
    Signal came;
    ConnectionPtr accepted;
    const auto listener = *environment.network().listen({"", 9092}, [&](ConnectionPtr connection) {
      accepted = std::move(connection);
      came.notify_all();
    });
    const FilePtr file = *co_await environment.files().open("f", OpenMode::create);
    const ByteView bytes[] = {as_bytes("0123456789")};
    EXPECT_TRUE(co_await file->write_at(0, bytes));
    if (!accepted) co_await came.wait();
    const OutputPart parts[] = {{.bytes = as_bytes("head")}, {.file = file, .file_position = 2, .file_size_bytes = 5}};
    EXPECT_TRUE(co_await accepted->write(parts));
    const OutputPart beyond[] = {{.file = file, .file_position = 8, .file_size_bytes = 5}};
    EXPECT_EQ((co_await accepted->write(beyond)).error().error_number, EPROTO);
  });
  std::string text;
  world.boot(client, [&](Environment& environment) -> task<void> {
    auto connection = co_await environment.network().connect(server_address, 3000);
    while (!connection) connection = co_await environment.network().connect(server_address, 3000);
    text = co_await read_some(**connection, 9);
  });
  EXPECT_TRUE(world.run_until([&] { return !client.is_running() && !server.is_running(); }, 60 * second_us));
  EXPECT_EQ(text, "head23456");
}

}  // namespace
}  // namespace moldau::runtime::simulated

// These tests use real sockets on 127.0.0.1 (any free port).
#include "runtime/real/socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <set>

#include "runtime/real/addresses.h"
#include "runtime/real/test_world.h"
#include "runtime/scope.h"

namespace moldau::runtime::real {
namespace {

using ConnectionPtr = std::unique_ptr<Connection>;
const Address any_port{"127.0.0.1", 0};

// A listener that keeps what it accepts.
struct Accepted {
  std::vector<ConnectionPtr> connections;
  Signal came;
  std::unique_ptr<Listener> listener;

  explicit Accepted(Environment& environment) {
    listener = *environment.network().listen(any_port, [this](ConnectionPtr connection) {
      connections.push_back(std::move(connection));
      came.notify_all();
    });
  }
  task<ConnectionPtr> next() {
    while (connections.empty()) co_await came.wait();
    ConnectionPtr first = std::move(connections.front());
    connections.erase(connections.begin());
    co_return first;
  }
};

struct Pair {
  ConnectionPtr client;
  ConnectionPtr server;
};
task<Pair> connect_pair(Environment& environment) {
  Accepted accepted(environment);
  auto client = co_await environment.network().connect(accepted.listener->address(), 5000);
  EXPECT_TRUE(client);
  co_return Pair{std::move(*client), co_await accepted.next()};
}

task<std::string> read_exactly(Connection& connection, size_t size) {
  std::string text(size, '\0');
  size_t done = 0;
  while (done < size) {
    const auto n = co_await connection.read(std::as_writable_bytes(std::span(text)).subspan(done));
    if (!n || *n == 0) break;
    done += *n;
  }
  text.resize(done);
  co_return text;
}

task<void> write_text(Connection& connection, std::string text, io_result<>& outcome) {
  const OutputPart parts[] = {{.bytes = as_bytes(text)}};
  outcome = co_await connection.write(parts);
}

std::string pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 1000) % 26);
  return text;
}

TEST(Socket, carries_bytes_both_ways_and_tells_the_end) {
  run_in_environment(1, [](Environment& environment) -> task<void> {
    Pair pair = co_await connect_pair(environment);
    EXPECT_EQ(pair.client->peer(), pair.server->local());
    EXPECT_EQ(pair.client->local(), pair.server->peer());
    io_result<> outcome;
    co_await write_text(*pair.client, "ping", outcome);
    EXPECT_EQ(co_await read_exactly(*pair.server, 4), "ping");
    co_await write_text(*pair.server, "pong", outcome);
    pair.server->close();
    EXPECT_EQ(co_await read_exactly(*pair.client, 10), "pong");
    std::byte one[1];
    EXPECT_EQ(*co_await pair.client->read(one), 0u);
  });
}

TEST(Socket, a_write_larger_than_the_buffers_waits_for_the_reader) {
  run_in_environment(1, [](Environment& environment) -> task<void> {
    Pair pair = co_await connect_pair(environment);
    const std::string large = pattern(20u << 20);
    io_result<> outcome = fail(IoError{});
    Scope scope;
    scope.spawn(write_text(*pair.client, large, outcome));
    EXPECT_EQ(scope.running(), 1);
    EXPECT_EQ(co_await read_exactly(*pair.server, large.size()), large);
    co_await scope.join();
    EXPECT_TRUE(outcome);
  });
}

TEST(Socket, sends_bytes_and_file_ranges_small_and_large_in_order) {
  TemporaryDirectory directory;
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    const FilePtr file = *co_await environment.files().open(directory / "log", OpenMode::create);
    const std::string contents = pattern(3u << 20);
    const ByteView whole[] = {as_bytes(contents)};
    EXPECT_TRUE(co_await file->write_at(0, whole));
    Pair pair = co_await connect_pair(environment);
    const std::vector<OutputPart> parts = {
        {.bytes = as_bytes("head")}, {.file = file, .file_position = 10, .file_size_bytes = 1000},
        {.bytes = {}},               {.bytes = as_bytes("middle")},
        {.file = file, .file_position = 5, .file_size_bytes = 2'500'000}, {.file = file},
        {.file = file, .file_position = 77, .file_size_bytes = 31'000},   {.bytes = as_bytes("tail")}};
    const std::string expected = "head" + contents.substr(10, 1000) + "middle" + contents.substr(5, 2'500'000) +
                                 contents.substr(77, 31'000) + "tail";
    for (const bool cold : {false, true}) {
      if (cold) {
        EXPECT_TRUE(co_await file->sync());
        posix_fadvise(file->native_handle(), 0, 0, POSIX_FADV_DONTNEED);
      }
      io_result<> outcome = fail(IoError{});
      Scope scope;
      auto send = [](Connection& connection, std::span<const OutputPart> output, io_result<>& result) -> task<void> {
        result = co_await connection.write(output);
      };
      scope.spawn(send(*pair.server, parts, outcome));
      const std::string got = co_await read_exactly(*pair.client, expected.size());
      EXPECT_TRUE(got == expected);
      co_await scope.join();
      EXPECT_TRUE(outcome);
    }
  });
}

TEST(Socket, a_file_shorter_than_its_range_is_an_error) {
  TemporaryDirectory directory;
  run_in_environment(1, [&](Environment& environment) -> task<void> {
    const FilePtr file = *co_await environment.files().open(directory / "log", OpenMode::create);
    const std::string contents = pattern(50'000);
    const ByteView whole[] = {as_bytes(contents)};
    EXPECT_TRUE(co_await file->write_at(0, whole));
    for (const uint64_t promised : {60'000, 10'000}) {
      Pair pair = co_await connect_pair(environment);
      const OutputPart parts[] = {{.file = file, .file_position = 45'000, .file_size_bytes = promised}};
      EXPECT_EQ((co_await pair.server->write(parts)).error().error_number, EPROTO);
    }
  });
}

TEST(Socket, closing_ends_what_waits_with_canceled) {
  run_in_environment(1, [](Environment& environment) -> task<void> {
    Pair pair = co_await connect_pair(environment);
    int number = 0;
    auto wait_for_byte = [](Connection& connection, int& error) -> task<void> {
      std::byte one[1];
      error = (co_await connection.read(one)).error().error_number;
    };
    Scope scope;
    scope.spawn(wait_for_byte(*pair.client, number));
    pair.client->close();
    pair.client->close();
    co_await scope.join();
    EXPECT_EQ(number, ECANCELED);
    const OutputPart parts[] = {{.bytes = as_bytes("x")}};
    EXPECT_EQ((co_await pair.client->write(parts)).error().error_number, ECANCELED);
  });
}

TEST(Socket, writing_to_a_peer_that_has_gone_fails_without_a_signal) {
  run_in_environment(1, [](Environment& environment) -> task<void> {
    Pair pair = co_await connect_pair(environment);
    pair.client.reset();
    io_result<> outcome;
    for (int i = 0; i < 100 && outcome; ++i) {
      co_await write_text(*pair.server, pattern(100'000), outcome);
      co_await sleep_ms(1);
    }
    EXPECT_FALSE(outcome);
  });
}

TEST(SocketNetwork, a_connect_that_is_refused_says_so_and_names_resolve) {
  run_in_environment(1, [](Environment& environment) -> task<void> {
    uint16_t port = 0;
    {
      Accepted accepted(environment);
      port = accepted.listener->address().port;
      const auto by_name = co_await environment.network().connect({"localhost", port}, 5000);
      EXPECT_TRUE(by_name);
      co_await accepted.next();
    }
    const auto refused = co_await environment.network().connect({"127.0.0.1", port}, 5000);
    EXPECT_EQ(refused.error().error_number, ECONNREFUSED);
    EXPECT_EQ(refused.error().subject, fmt::format("127.0.0.1:{}", port));
    const auto unknown = co_await environment.network().connect({"no-such-host.invalid", 1}, 5000);
    EXPECT_FALSE(unknown);
  });
}

TEST(SocketNetwork, a_port_in_use_is_refused_and_every_interface_includes_both_families) {
  run_in_environment(1, [](Environment& environment) -> task<void> {
    const auto ignore = [](ConnectionPtr) {};
    const auto everywhere = environment.network().listen({"", 0}, ignore);
    EXPECT_TRUE(everywhere);
    const uint16_t port = (*everywhere)->address().port;
    EXPECT_EQ(environment.network().listen({"127.0.0.1", port}, ignore).error().error_number, EADDRINUSE);
    EXPECT_TRUE(co_await environment.network().connect({"127.0.0.1", port}, 5000));
  });
}

// Lets in as many at a time as it was told to, and nobody whom it does not like.
struct Doorkeeper final : Admission {
  int places = 1;
  bool likes = true;
  Listener* listener = nullptr;

  int64_t wait_us() override { return places > 0 ? 0 : until_told; }
  std::shared_ptr<void> admit(const Address&) override {
    if (!likes) return nullptr;
    --places;
    return std::shared_ptr<void>(this, [](Doorkeeper* self) {
      ++self->places;
      self->listener->look_again();
    });
  }
};

TEST(SocketNetwork, admission_keeps_connections_waiting_and_a_ticket_ends_with_its_connection) {
  run_in_environment(1, [](Environment& environment) -> task<void> {
    Doorkeeper doorkeeper;
    std::vector<ConnectionPtr> accepted;
    Signal came;
    auto listener = *environment.network().listen(any_port, [&](ConnectionPtr connection) {
      accepted.push_back(std::move(connection));
      came.notify_all();
    }, {.admission = &doorkeeper});
    doorkeeper.listener = listener.get();
    const auto first = co_await environment.network().connect(listener->address(), 5000);
    const auto second = co_await environment.network().connect(listener->address(), 5000);
    while (accepted.empty()) co_await came.wait();
    co_await sleep_ms(20);
    EXPECT_EQ(accepted.size(), 1u) << "there is one place";
    accepted.clear();
    co_await came.wait();
    EXPECT_EQ(accepted.size(), 1u) << "the place is free again";
    doorkeeper.likes = false;
    doorkeeper.places = 1;
    const auto third = co_await environment.network().connect(listener->address(), 5000);
    listener->look_again();
    std::byte one[1];
    const auto ended = co_await (*third)->read(one);
    EXPECT_TRUE(!ended || *ended == 0) << "closed at once";
    EXPECT_EQ(accepted.size(), 1u);
    accepted.clear();
  });
}

// An option of the socket in this process that is the server's end of `client`.
int option_of_servers_end(const Connection& client, int option) {
  for (int descriptor = 3; descriptor < 1024; ++descriptor) {
    SocketAddress peer;
    peer.size = sizeof peer.storage;
    if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer.storage), &peer.size) != 0) continue;
    if (to_address(peer) != client.local()) continue;
    int value = 0;
    socklen_t size = sizeof value;
    if (getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0) return value;
  }
  return -1;
}

TEST(SocketNetwork, gives_connections_the_buffers_that_the_listener_was_told) {
  run_in_environment(1, [](Environment& environment) -> task<void> {
    std::vector<ConnectionPtr> accepted;
    Signal came;
    auto listener = *environment.network().listen(
        any_port,
        [&](ConnectionPtr connection) {
          accepted.push_back(std::move(connection));
          came.notify_all();
        },
        {.send_buffer_bytes = 50'000, .receive_buffer_bytes = 30'000});
    const ConnectionPtr client = *co_await environment.network().connect(listener->address(), 5000);
    while (accepted.empty()) co_await came.wait();
    EXPECT_EQ(option_of_servers_end(*client, SO_SNDBUF), 2 * 50'000) << "the kernel doubles it for what it keeps beside the bytes";
    EXPECT_EQ(option_of_servers_end(*client, SO_RCVBUF), 2 * 30'000);
    accepted.clear();
  });
}

TEST(SocketNetwork, spreads_connections_over_the_shards) {
  run_in_environment(4, [](Environment& environment) -> task<void> {
    struct Counts {
      std::atomic<int> of_shard[4];
    } counts;
    auto listener = *environment.network().listen(any_port, [&](ConnectionPtr) { ++counts.of_shard[Shard::current().index()]; });
    std::vector<ConnectionPtr> connections;
    for (int i = 0; i < 40; ++i) connections.push_back(*co_await environment.network().connect(listener->address(), 5000));
    for (const ConnectionPtr& connection : connections) {
      std::byte one[1];
      EXPECT_EQ(*co_await connection->read(one), 0u);  // the server drops each at once
    }
    for (const auto& count : counts.of_shard) EXPECT_EQ(count, 10);
  });
}

// Each shard runs connections to an echo server on all shards: the threads' sanitizer looks at this one.
// Reads a byte at a time, with bytes there for very many reads, until `seen` or the end; gives how many it read.
task<size_t> read_bytewise(Connection& connection, const bool& seen) {
  size_t count = 0;
  std::byte one[1];
  while (!seen) {
    const auto n = co_await connection.read(one);
    if (!n || *n == 0) break;
    ++count;
  }
  co_return count;
}

task<void> write_and_close(Connection& connection, std::string text) {
  io_result<> outcome;
  co_await write_text(connection, std::move(text), outcome);
  connection.close();
}

TEST(Socket, a_reader_whose_bytes_are_always_there_lets_others_run) {
  run_in_environment(1, [](Environment& environment) -> task<void> {
    Pair pair = co_await connect_pair(environment);
    const std::string text = pattern(200'000);
    Scope scope;
    scope.spawn(write_and_close(*pair.client, text));
    bool seen = false;
    Shard::current().call_at(Shard::current().now_us() + 1, [&] { seen = true; });
    const size_t count = co_await read_bytewise(*pair.server, seen);
    EXPECT_TRUE(seen);
    EXPECT_LT(count, text.size());
    pair.server->close();
    co_await scope.join();
  });
}

task<void> echo(ConnectionPtr connection, std::atomic<int>& open) {
  Bytes buffer(4096);
  while (true) {
    const auto n = co_await connection->read(buffer);
    if (!n || *n == 0) break;
    const OutputPart parts[] = {{.bytes = ByteView(buffer).first(*n)}};
    if (!co_await connection->write(parts)) break;
  }
  connection.reset();
  --open;
}
task<void> talk(Environment& environment, Address server, int rounds) {
  const auto connection = *co_await environment.network().connect(server, 5000);
  for (int i = 0; i < rounds; ++i) {
    const std::string text = pattern(100 + static_cast<size_t>(i) * 37 % 3000);
    io_result<> outcome;
    co_await write_text(*connection, text, outcome);
    EXPECT_TRUE(co_await read_exactly(*connection, text.size()) == text);
  }
}
task<void> talk_much(Environment& environment, Address server) {
  Scope scope;
  for (int i = 0; i < 5; ++i) scope.spawn(talk(environment, server, 100));
  co_await scope.join();
}

TEST(SocketNetwork, four_shards_talk_to_four_shards) {
  run_in_environment(4, [](Environment& environment) -> task<void> {
    std::atomic<int> open{0};
    std::vector<std::unique_ptr<Scope>> scopes(4);
    for (auto& scope : scopes) scope = std::make_unique<Scope>();
    auto listener = *environment.network().listen(any_port, [&](ConnectionPtr connection) {
      ++open;
      scopes[static_cast<size_t>(Shard::current().index())]->spawn(echo(std::move(connection), open));
    });
    const Address address = listener->address();
    Scope clients;
    for (Shard* shard : environment.shards()) clients.spawn(call_on(*shard, [&] { return talk_much(environment, address); }));
    co_await clients.join();
    listener->close();
    for (size_t i = 0; i < 4; ++i) co_await call_on(*environment.shards()[i], [&] { return scopes[i]->join(); });
    EXPECT_EQ(open, 0);
  });
}

TEST(SocketNetwork, without_descriptors_new_connections_wait_and_are_served_later) {
  run_in_environment(1, [](Environment& environment) -> task<void> {
    Accepted accepted(environment);
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    // The client's descriptor is the last one that is left.
    const Descriptor probe(open("/dev/null", O_RDONLY));
    rlimit tight = before;
    tight.rlim_cur = static_cast<rlim_t>(probe.get()) + 2;
    setrlimit(RLIMIT_NOFILE, &tight);
    auto client = co_await environment.network().connect(accepted.listener->address(), 5000);
    EXPECT_TRUE(client);
    co_await sleep_ms(20);
    EXPECT_TRUE(accepted.connections.empty());
    setrlimit(RLIMIT_NOFILE, &before);
    const ConnectionPtr server = co_await accepted.next();
    EXPECT_TRUE(server != nullptr);
  });
}

}  // namespace
}  // namespace moldau::runtime::real

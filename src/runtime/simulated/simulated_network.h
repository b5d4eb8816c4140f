// The network as one simulated process sees it.
#pragma once

#include "runtime/network.h"
#include "runtime/simulated/wire.h"

namespace moldau::runtime::simulated {

class SimulatedEnvironment;

class SimulatedNetwork final : public Network {
 public:
  explicit SimulatedNetwork(SimulatedEnvironment& environment) : environment_(environment) {}

  io_result<std::unique_ptr<Listener>> listen(const Address& address, Serve serve, const ListenOptions& options) override;
  task<io_result<std::unique_ptr<Connection>>> connect(Address address, int64_t timeout_ms) override;

 private:
  // An address of this node's own for an empty host, localhost and 127.0.0.1.
  [[nodiscard]] Address resolve(Address address) const;

  SimulatedEnvironment& environment_;
};

class SimulatedConnection final : public Connection {
 public:
  SimulatedConnection(SimulatedEnvironment& environment, LinkPtr link, int side)
      : environment_(environment), link_(std::move(link)), side_(side) {}
  ~SimulatedConnection() override;

  task<io_result<size_t>> read(MutableByteView into) override;
  task<io_result<>> write(std::span<const OutputPart> parts) override;
  void close() override;
  [[nodiscard]] const Address& peer() const override { return own().peer; }
  [[nodiscard]] const Address& local() const override { return own().local; }

 private:
  [[nodiscard]] Side& own() const { return link_->sides[static_cast<size_t>(side_)]; }
  [[nodiscard]] Side& other() const { return link_->sides[static_cast<size_t>(1 - side_)]; }
  // Bytes that may be sent now.
  [[nodiscard]] uint64_t room_bytes() const;
  [[nodiscard]] int state() const;  // 0, or the errno of everything from now on
  // Of `part` from `offset` on, as many as fit into `into`; 0 if a file ends before.
  [[nodiscard]] static size_t copy_part(const OutputPart& part, uint64_t offset, MutableByteView into);
  [[nodiscard]] std::unexpected<IoError> error(int number, const char* operation) const;

  SimulatedEnvironment& environment_;
  LinkPtr link_;
  int side_;
};

}  // namespace moldau::runtime::simulated

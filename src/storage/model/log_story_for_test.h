// LogStory: the life of one partition's log on a simulated machine with two log directories, in lockstep with a NaiveLog.
//
// A story is a number of lives of a process. Each opens the log as a node does (what lies where, checkpoints, how the last
// life ended), compares it with the list, takes random steps of which each is compared, and ends: in order, by a kill, or
// by a power cut, between two steps or in the middle of one. Everything is drawn from the seed. One object serves all lives;
// what the process under way holds is in its frames and goes with it.
//
// log_story_for_test.cc: lives and their ends. log_opening_for_test.cc: what a start finds, and what it may find.
// log_steps_for_test.cc, log_shape_steps_for_test.cc: the steps. log_checks_for_test.cc: what must be true after each.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "runtime/simulated/world.h"
#include "storage/model/naive_log_for_test.h"
#include "storage/open_files.h"

namespace moldau::storage {
class Log;
}

namespace moldau::storage::test {

using runtime::Environment;
using runtime::task;

// Whether compaction made of a batch what it should; a horizon may be as late as the round took.
[[nodiscard]] bool is_as_cleaned(const NaiveBatch& found, const NaiveBatch& expected);

class LogStory {
 public:
  explicit LogStory(uint64_t seed);
  LogStory(const LogStory&) = delete;

  // Lives until so many steps were taken, or until the first failure, which is gtest's.
  void live(int steps);

  [[nodiscard]] int steps() const { return steps_; }
  // The last steps, oldest first, and how to see them again.
  [[nodiscard]] std::string describe() const;

 private:
  enum class End : uint8_t { stop, kill, power_cut };
  // What the directory's checkpoint files say of the log.
  struct Checkpoint {
    Offset recovery_point{0};
    Offset log_start{0};
  };
  // What the step under way has done already, if the process ends in the middle of it.
  struct UnderWay {
    Bytes batch;                    // is appended; the log writes offset and time into it
    std::optional<Offset> cut_to;   // what lies behind goes
    std::optional<Offset> start_to; // the log start moves there
    CleanedBatches cleaned;         // some batches are as they will be
  };

  // --- lives ---
  task<void> be_a_process(Environment& environment, int steps);
  void end_process();
  void note(std::string what);
  task<void> note_shape(std::string what);
  int64_t pick(int64_t below) { return static_cast<int64_t>(random_.below(static_cast<uint64_t>(below))); }
  [[nodiscard]] LogOptions options_of(int directory, const std::string& name);
  [[nodiscard]] int64_t now_ms() const { return environment_->wall_clock_ms(); }

  // --- opening ---
  task<void> open();
  task<void> open_copy();
  task<void> discard(std::shared_ptr<Log> log);
  task<void> reconcile();
  task<void> sync_all();
  void forget_producers();
  void expect_found(const std::vector<NaiveBatch>& found, bool is_opening);

  // --- steps ---
  task<void> step();
  task<void> append();
  task<void> repeat();
  task<void> end_transaction();
  task<void> write(Bytes batch, AppendOrigin origin = AppendOrigin::client, int transaction_version = -1);
  void move_high_watermark();
  task<void> roll();
  task<void> flush();
  task<void> commit();
  task<void> fail();
  task<void> truncate();
  task<void> delete_records();
  task<void> retention();
  task<void> clean();
  task<void> begin_move();
  task<void> copy();
  task<void> promote();
  void pass_time();
  void write_checkpoint();
  // No instant that something is decided by lies so near that a step's own time could matter.
  void keep_away_from(const std::vector<int64_t>& instants_ms);

  // --- checks ---
  task<std::vector<NaiveBatch>> everything();
  task<std::vector<NaiveBatch>> consume(ReadIsolation isolation);
  task<void> check();
  task<void> check_all();
  task<void> check_read();
  task<void> check_time();
  void check_offsets();
  void check_producers();
  [[nodiscard]] bool is_known_as(const NaiveProducer& producer, const ProducerEntry* entry) const;

  const uint64_t seed_;
  runtime::simulated::Random random_;
  runtime::simulated::World world_;
  runtime::simulated::Node& node_;
  LogConfig config_;
  uint64_t replay_limit_bytes_;
  std::array<int64_t, 16> weights_;  // of the kinds of step
  bool fills_disk_;  // so that now and then an append finds no room

  NaiveLog naive_;
  std::vector<NaiveBatch> removed_;  // by retention; a power cut may bring them back, as far as the checkpoint lets it
  std::array<Checkpoint, 2> checkpoints_;
  std::array<bool, 2> has_failed_{};  // the directories that the last life found to fail
  int home_ = 0;                // the directory where the log is
  Offset durable_{0};           // everything below was promised to outlast a power cut
  Offset clean_to_{0};          // the cleaner's checkpoint
  Offset never_cut_below_{0};   // compaction went by how transactions below had ended
  std::set<ProducerId> retired_;  // producers that write no more
  Offset five_known_from_{0};   // from here on the last five batches of a producer are known
  Offset epochs_known_from_{0};
  int32_t leader_epoch_ = 0;
  int64_t values_ = 0;
  int names_ = 0;

  // Of the life at hand:
  Environment* environment_ = nullptr;
  OpenFiles* open_files_ = nullptr;
  std::shared_ptr<Log> log_;
  std::shared_ptr<Log> copy_;
  UnderWay under_way_;
  End last_end_ = End::stop;
  End coming_end_ = End::stop;
  bool is_cut_in_step_ = false;
  bool is_to_fail_ = false;  // behind its last step
  bool is_idle_ = false;
  bool is_in_last_step_ = false;

  int steps_ = 0;
  int life_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace moldau::storage::test

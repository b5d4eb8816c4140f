// CleanedTransactions: which batches of transactions a pass of compaction may drop, told batch by batch in log order.
//
// The data of an aborted transaction go at once. A marker may go once the pass met nothing of its transaction; it then
// still waits for its delete horizon, which is the caller's business. What remains of an aborted transaction needs its
// entry in the transaction index of the output: those entries are collected here. One object serves a whole pass, over all
// of its segments, because a transaction may begin in one and end in another. No I/O. Kafka: CleanedTransactionMetadata.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "protocol/control_record.h"
#include "protocol/record_batch.h"
#include "storage/transaction_index.h"

namespace moldau::storage {

class CleanedTransactions {
 public:
  // Aborted transactions that overlap what comes next. Those that are known already may be given again.
  void add_aborted(std::span<const AbortedTransaction> aborted);

  // True: the batch belongs to an aborted transaction.
  [[nodiscard]] bool take_data(const protocol::RecordBatchHeader& batch);
  // True: nothing of the marker's transaction was met. Null for a control batch that an earlier pass emptied.
  [[nodiscard]] bool take_control(const protocol::RecordBatchHeader& batch, std::optional<protocol::ControlRecordType> type);

  // Entries for the transaction index of the output, of the markers since the last call.
  [[nodiscard]] std::vector<AbortedTransaction> take_kept_aborted() { return std::exchange(kept_aborted_, {}); }

 private:
  struct Ongoing {
    AbortedTransaction transaction;
    bool has_data = false;  // as far as this pass has come
  };

  void begin_aborted_up_to(Offset offset);

  std::multimap<Offset, AbortedTransaction> coming_;  // by first offset
  std::unordered_map<ProducerId, Ongoing> aborted_;
  std::unordered_set<ProducerId> committed_;  // producers with data since their last marker
  std::vector<AbortedTransaction> kept_aborted_;
};

}  // namespace moldau::storage

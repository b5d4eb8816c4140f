#include "storage/compaction/cleaned_transactions.h"

#include "base/mutant.h"

namespace moldau::storage {

using protocol::ControlRecordType;
using protocol::RecordBatchHeader;

void CleanedTransactions::add_aborted(std::span<const AbortedTransaction> aborted) {
  for (const AbortedTransaction& transaction : aborted) coming_.emplace(transaction.first_offset, transaction);
}

void CleanedTransactions::begin_aborted_up_to(Offset offset) {
  while (!coming_.empty() && coming_.begin()->first <= offset) {
    const AbortedTransaction& transaction = coming_.begin()->second;
    aborted_.try_emplace(transaction.producer_id, Ongoing{transaction});
    coming_.erase(coming_.begin());
  }
}

bool CleanedTransactions::take_data(const RecordBatchHeader& batch) {
  begin_aborted_up_to(batch.last_offset());
  if (!batch.is_transactional()) return false;
  const auto found = aborted_.find(batch.producer_id);
  if (found == aborted_.end()) {
    committed_.insert(batch.producer_id);
    return false;
  }
  found->second.has_data = true;
  return true;
}

bool CleanedTransactions::take_control(const RecordBatchHeader& batch, std::optional<ControlRecordType> type) {
  begin_aborted_up_to(batch.last_offset());
  if (!type) return true;
  if (MOLDAU_MUTANT("aborted-data-kept") && *type == ControlRecordType::abort) return false;
  if (*type == ControlRecordType::commit) return committed_.erase(batch.producer_id) == 0;
  if (*type != ControlRecordType::abort) return false;
  const auto found = aborted_.find(batch.producer_id);
  if (found == aborted_.end()) return true;
  const Ongoing ended = found->second;
  aborted_.erase(found);
  if (!ended.has_data || MOLDAU_MUTANT("marker-removed-before-its-data")) return true;
  kept_aborted_.push_back(ended.transaction);
  return false;
}

}  // namespace moldau::storage

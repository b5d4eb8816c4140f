// LeaderCheck: what a leader asks of a batch (protocol/batch_validation) for one append, with all that it goes by taken when
// it was made. So the check of a large batch may run on any thread, while the log's mutex keeps the batch's place.
#pragma once

#include <optional>

#include "protocol/batch_validation.h"
#include "storage/log_types.h"
#include "storage/prepared_append.h"

namespace moldau::storage {

class LeaderCheck {
 public:
  using Verdict = result<protocol::ValidatedBatch, protocol::BatchRejection>;

  // `batch` is changed in place by a check that passes.
  LeaderCheck(MutableByteView batch, const LeaderAppend& append, const LogConfig& config, Offset first_offset,
              int64_t clock_ms);

  // Null, and nothing changed, for a batch that would hold up the shard.
  [[nodiscard]] std::optional<Verdict> check_if_small() const;
  // Touches nothing but the batch.
  [[nodiscard]] Verdict check() const;
  // Makes what passed ready to be written.
  void take(protocol::ValidatedBatch valid, PreparedAppend& prepared) const;

 private:
  MutableByteView batch_;
  protocol::AppendOrigin origin_;
  protocol::ValidationSettings settings_;
  Offset first_offset_;
  LeaderEpoch epoch_;
  int64_t clock_ms_;
};

[[nodiscard]] Error error_of(protocol::BatchRejection rejection);

}  // namespace moldau::storage

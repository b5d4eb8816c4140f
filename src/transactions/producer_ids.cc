#include "transactions/producer_ids.h"

#include <limits>

#include "base/log.h"

namespace moldau::transactions {
namespace {

using protocol::ErrorCode;

constexpr int64_t retry_backoff_ms = 50;

bool is_sound(const protocol::AllocateProducerIdsResponse& block, int64_t above) {
  return block.producer_id_start >= above && block.producer_id_len > 0 &&
         block.producer_id_start <= std::numeric_limits<int64_t>::max() - block.producer_id_len;
}

}  // namespace

std::optional<ProducerId> ProducerIds::take() {
  if (current_.given == current_.size) {
    if (!next_) return std::nullopt;
    current_ = *next_;
    next_.reset();
  }
  return ProducerId(current_.first + current_.given++);
}

bool ProducerIds::should_request_block(int64_t now_ms) {
  const bool is_low = current_.given * 10 >= current_.size * 9;
  if (!is_low || next_ || is_requested_ || now_ms < retry_at_ms_) return false;
  is_requested_ = true;
  return true;
}

void ProducerIds::on_block(const protocol::AllocateProducerIdsResponse& response, int64_t now_ms) {
  is_requested_ = false;
  const auto error = static_cast<ErrorCode>(response.error_code);
  if (error == ErrorCode::none && is_sound(response, current_.first + current_.size)) {
    next_ = Block{.first = response.producer_id_start, .size = response.producer_id_len};
    retry_at_ms_ = 0;
    return;
  }
  log_warning("no block of producer ids: {}, {} ids from {}", protocol::error_name(error), response.producer_id_len,
              response.producer_id_start);
  retry_at_ms_ = now_ms + retry_backoff_ms;
}

protocol::InitProducerIdResponse init_producer_id(const protocol::InitProducerIdRequest& request, ProducerIds& ids) {
  protocol::InitProducerIdResponse response;
  response.producer_id = -1;
  response.producer_epoch = -1;
  const auto refuse = [&](ErrorCode error) {
    response.error_code = static_cast<int16_t>(error);
    return response;
  };
  // Id and epoch of an earlier life come together or not at all (KIP-360).
  if ((request.producer_id == -1) != (request.producer_epoch == -1)) return refuse(ErrorCode::invalid_request);
  if (request.transactional_id == "") return refuse(ErrorCode::invalid_request);
  if (request.transactional_id) return refuse(ErrorCode::unsupported_version);
  const auto id = ids.take();
  if (!id) return refuse(ErrorCode::coordinator_load_in_progress);
  response.producer_id = id->value();
  response.producer_epoch = 0;
  return response;
}

}  // namespace moldau::transactions

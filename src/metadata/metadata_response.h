// The answer to a Metadata request, all versions, from an image. Pure functions, any thread.
#pragma once

#include <string>
#include <vector>

#include "metadata/client_view.h"
#include "metadata/image.h"
#include "protocol/messages/metadata_request.h"
#include "protocol/messages/metadata_response.h"

namespace moldau::metadata {

struct MetadataAnswer {
  protocol::MetadataResponse response;
  // Topics that do not exist, have good names, and that the client lets be created. They are answered with
  // UNKNOWN_TOPIC_OR_PARTITION all the same: the client asks again. Empty unless `may_create`.
  std::vector<std::string> to_create;
};

// `may_create`: auto.create.topics.enable.
[[nodiscard]] MetadataAnswer answer_metadata(const protocol::MetadataRequest& request, const MetadataImage& image,
                                             const ClientView& view, bool may_create);

}  // namespace moldau::metadata

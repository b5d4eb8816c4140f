// The metadata as one client may see it: which listener it came by, and which version it speaks.
#pragma once

#include "broker/broker.h"
#include "broker/request.h"
#include "metadata/client_view.h"

namespace moldau::broker {

[[nodiscard]] metadata::ClientView client_view(const RequestContext& context);

}  // namespace moldau::broker

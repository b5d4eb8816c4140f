// DeleteGroups: removes empty groups and their offsets. Each group is asked of its own coordinator.
#include "broker/api_handlers.h"
#include "broker/group_routing.h"
#include "broker/reply.h"

namespace moldau::broker {

using protocol::DeleteGroupsResponse;
using security::Operation;
using security::ResourceType;

runtime::task<Reply> handle_delete_groups(RequestContext& context, Gate<ApiKey::delete_groups> gate) {
  MOLDAU_DECODE(DeleteGroupsRequest, request, context);
  DeleteGroupsResponse response;
  std::vector<std::string> denied;
  for (const std::string& group_id : request.groups_names) {
    const auto access = gate.may<Operation::delete_, ResourceType::group>(group_id);
    if (!access) {
      denied.push_back(group_id);
      continue;
    }
    protocol::DeleteGroupsRequest one;
    one.groups_names = {group_id};
    auto answer = co_await ask_coordinator(context, *access, std::move(one));
    if (answer) {
      for (auto& entry : std::get<DeleteGroupsResponse>(*answer).results) response.results.push_back(std::move(entry));
      continue;
    }
    auto& entry = response.results.emplace_back();
    entry.group_id = group_id;
    entry.error_code = static_cast<int16_t>(answer.error());
  }
  for (std::string& group_id : denied) {
    auto& entry = response.results.emplace_back();
    entry.group_id = std::move(group_id);
    entry.error_code = static_cast<int16_t>(protocol::ErrorCode::group_authorization_failed);
  }
  co_return make_reply(context, response);
}

}  // namespace moldau::broker

#include "cli/commands.h"

namespace moldau::cli {

void add_group(Command app, Context& context) {
  Command group = app.add_command("group", "List, describe, seek and delete consumer groups");
  add_group_list(group, context);
  add_group_describe(group, context);
  add_group_seek(group, context);
  add_group_delete(group, context);
}

}  // namespace moldau::cli

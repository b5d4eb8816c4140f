#include "cli/commands.h"

namespace moldau::cli {

void add_directory(Command app, Context& context) {
  Command directory = app.add_command("directory", "List a node's log directories, and move partitions between them");
  add_directory_list(directory, context);
  add_directory_move(directory, context);
}

}  // namespace moldau::cli

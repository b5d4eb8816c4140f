#include "cli/commands.h"

namespace moldau::cli {

void add_log(Command app, Context& context) {
  Command log = app.add_command("log", "Look into log directories, check and mend them, without a broker");
  add_log_dump(log, context);
  add_log_verify(log, context);
  add_log_salvage(log, context);
  add_log_repair_index(log, context);
}

}  // namespace moldau::cli

// Every command of `moldau`, one function each: it adds the command and its options to the command line and
// says what the command does. Each stands in a file of its own. The context is read when the command runs.
#pragma once

#include "cli/arguments.h"

namespace moldau::cli {

struct Context;

void add_server(Command app);
void add_topic(Command app, Context& context);  // and below it:
void add_topic_create(Command topic, Context& context);
void add_topic_list(Command topic, Context& context);
void add_topic_describe(Command topic, Context& context);
void add_topic_alter(Command topic, Context& context);
void add_topic_delete(Command topic, Context& context);
void add_produce(Command app, Context& context);
void add_consume(Command app, Context& context);
void add_group(Command app, Context& context);  // and below it:
void add_group_list(Command group, Context& context);
void add_group_describe(Command group, Context& context);
void add_group_seek(Command group, Context& context);
void add_group_delete(Command group, Context& context);
void add_directory(Command app, Context& context);  // and below it:
void add_directory_list(Command directory, Context& context);
void add_directory_move(Command directory, Context& context);
void add_log(Command app, Context& context);  // and below it:
void add_log_dump(Command log, Context& context);
void add_log_verify(Command log, Context& context);
void add_log_salvage(Command log, Context& context);
void add_log_repair_index(Command log, Context& context);
void add_api_versions(Command app, Context& context);

}  // namespace moldau::cli

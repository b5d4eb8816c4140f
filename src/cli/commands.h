// Every command of `moldau`, one function each: it adds the command and its options to the command line and
// says, in Context::run, what the command does. Each stands in a file of its own.
#pragma once

#include "cli/context.h"

namespace moldau::cli {

void add_server(CLI::App& app, Context& context);
void add_topic(CLI::App& app, Context& context);  // and below it:
void add_topic_create(CLI::App& topic, Context& context);
void add_topic_list(CLI::App& topic, Context& context);
void add_topic_describe(CLI::App& topic, Context& context);
void add_topic_alter(CLI::App& topic, Context& context);
void add_topic_delete(CLI::App& topic, Context& context);
void add_produce(CLI::App& app, Context& context);
void add_consume(CLI::App& app, Context& context);
void add_group(CLI::App& app, Context& context);  // and below it:
void add_group_list(CLI::App& group, Context& context);
void add_group_describe(CLI::App& group, Context& context);
void add_group_seek(CLI::App& group, Context& context);
void add_group_delete(CLI::App& group, Context& context);
void add_directory(CLI::App& app, Context& context);  // and below it:
void add_directory_list(CLI::App& directory, Context& context);
void add_directory_move(CLI::App& directory, Context& context);
void add_log(CLI::App& app, Context& context);  // and below it:
void add_log_dump(CLI::App& log, Context& context);
void add_log_verify(CLI::App& log, Context& context);
void add_log_salvage(CLI::App& log, Context& context);
void add_log_repair_index(CLI::App& log, Context& context);
void add_api_versions(CLI::App& app, Context& context);

}  // namespace moldau::cli

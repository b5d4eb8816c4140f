#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace moldau::cli {

void add_topic(CLI::App& app, Context& context) {
  CLI::App* topic = app.add_subcommand("topic", "Create, list, describe, alter and delete topics");
  topic->require_subcommand(1);
  add_topic_create(*topic, context);
  add_topic_list(*topic, context);
  add_topic_describe(*topic, context);
  add_topic_alter(*topic, context);
  add_topic_delete(*topic, context);
}

}  // namespace moldau::cli

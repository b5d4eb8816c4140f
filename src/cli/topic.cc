#include "cli/commands.h"

namespace moldau::cli {

void add_topic(Command app, Context& context) {
  Command topic = app.add_command("topic", "Create, list, describe, alter and delete topics");
  add_topic_create(topic, context);
  add_topic_list(topic, context);
  add_topic_describe(topic, context);
  add_topic_alter(topic, context);
  add_topic_delete(topic, context);
}

}  // namespace moldau::cli

#include "proxy/commands/conf_show.h"

#include <fmt/format.h>

#include "proxy/commands/instance.h"

namespace gatescope::commands {

int show_running_configuration(const Invocation& invocation) {
  const auto instance = Instance::find(invocation);
  if (!instance) return not_asked(instance.error());
  const auto answer = instance->ask("conf", std::chrono::seconds(10));
  if (!answer) return not_asked(answer.error());
  fmt::print("{}", answer->text);
  return 0;
}

}  // namespace gatescope::commands

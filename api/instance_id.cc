#include "api/instance_id.h"

#include <fmt/format.h>
#include <unistd.h>

#include <random>

namespace gatescope::api {

std::string make_instance_id() {
  char host[256] = "";
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  std::random_device random;
  std::string id;
  for (const char* c = host; *c != '\0'; ++c)
    if (*c > ' ' && *c <= '~') id += *c;
  return fmt::format("{}:{}:{:08x}{:08x}", id, ::getpid(), random(), random());
}

}  // namespace gatescope::api

#include "tests/integration/support/site_asker.h"

#include <optional>
#include <stdexcept>

namespace gatescope::integration {

std::string SiteAsker::finish() {
  over_ = true;
  if (thread_.joinable()) thread_.join();
  return trouble_;
}

void SiteAsker::ask(bool keep) {
  try {
    std::optional<Client> client;
    while (!over_) {
      if (!client) client.emplace(connect_());
      const auto answer = client->get("/", "localhost", keep ? "" : "Connection: close\r\n");
      if (answer.status != 200) throw std::runtime_error(answer.head);
      ++answers_;
      if (!keep || client->is_going(answer)) client.reset();
    }
  } catch (const std::exception& error) {
    trouble_ = error.what();
  }
}

}  // namespace gatescope::integration

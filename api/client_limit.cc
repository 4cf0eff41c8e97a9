#include "api/client_limit.h"

#include <algorithm>

namespace gatescope::api {

bool ClientLimit::enter(const std::string& client, SequenceId id) {
  auto& waiting = waiting_[client];
  const auto same =
      std::find_if(waiting.begin(), waiting.end(), [id](auto& w) { return w.id == id; });
  if (same != waiting.end()) {
    ++same->requests;
    return true;
  }
  if (waiting.size() >= limit_) return false;
  waiting.push_back({id, 1});
  return true;
}

void ClientLimit::leave(const std::string& client, SequenceId id) {
  const auto found = waiting_.find(client);
  if (found == waiting_.end()) return;
  auto& waiting = found->second;
  const auto same =
      std::find_if(waiting.begin(), waiting.end(), [id](auto& w) { return w.id == id; });
  if (same == waiting.end()) return;
  if (--same->requests == 0) waiting.erase(same);
  if (waiting.empty()) waiting_.erase(found);
}

}  // namespace gatescope::api

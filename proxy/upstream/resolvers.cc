#include "proxy/upstream/resolvers.h"

#include <vector>

namespace gatescope::upstream {

net::Resolver& Resolvers::on(net::Loop& loop, const net::ResolverSettings& settings) {
  const std::lock_guard lock(mutex_);
  auto& held = resolvers_[{&loop, settings.key()}];
  if (!held) held = std::make_unique<net::Resolver>(loop, settings, clients_);
  return *held;
}

void Resolvers::forget_loop(net::Loop& loop) {
  std::vector<std::unique_ptr<net::Resolver>> dropped;
  const std::lock_guard lock(mutex_);
  for (auto it = resolvers_.begin(); it != resolvers_.end();) {
    if (it->first.first != &loop) {
      ++it;
      continue;
    }
    dropped.push_back(std::move(it->second));
    it = resolvers_.erase(it);
  }
}

}  // namespace gatescope::upstream

#include "certs/session_caches.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "certs/session_store.h"
#include "proxy/base/text.h"

namespace gatescope::tls {
namespace {

constexpr std::size_t kBuiltinSessions = 20480;  // OpenSSL's and nginx's default
constexpr std::size_t kSmallest = 8 * 4096;      // nginx: eight pages

Error invalid(std::string_view word) {
  return make_error(ErrorKind::Invalid, Origin::Internal,
                    fmt::format("invalid session cache \"{}\"", word));
}

Result<void> take_shared(std::string_view word, SessionCache& cache) {
  const auto parts = split(word, ':');
  if (parts.size() != 3 || parts[1].empty()) return invalid(word);
  const auto size = parse_size(parts[2]);
  if (!size) return invalid(word);
  if (*size < kSmallest) {
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      fmt::format("session cache \"{}\" is too small", word));
  }
  cache.kind = SessionCache::Kind::Shared;
  cache.name = parts[1];
  cache.bytes = static_cast<std::size_t>(*size);
  return {};
}

Result<void> take_builtin(std::string_view word, SessionCache& cache) {
  cache.sessions = kBuiltinSessions;
  if (word != "builtin") {
    const auto count = parse_unsigned(word.substr(std::string_view("builtin:").size()));
    if (!count || *count == 0) return invalid(word);
    cache.sessions = static_cast<std::size_t>(*count);
  }
  if (cache.kind != SessionCache::Kind::Shared) cache.kind = SessionCache::Kind::Builtin;
  return {};
}

}  // namespace

Result<SessionCache> parse_session_cache(std::string_view words) {
  SessionCache cache;
  for (const std::string_view word : split(words, ' ')) {
    if (word.empty()) continue;
    Result<void> taken;
    if (word == "off") {
      cache.kind = SessionCache::Kind::Off;
    } else if (word == "none") {
      cache.kind = SessionCache::Kind::None;
    } else if (word == "builtin" || word.starts_with("builtin:")) {
      taken = take_builtin(word, cache);
    } else if (word.starts_with("shared:")) {
      taken = take_shared(word, cache);
    } else {
      taken = invalid(word);
    }
    if (!taken) return taken.error();
  }
  return cache;
}

std::shared_ptr<SessionStore> SessionCaches::shared(const std::string& name, std::size_t bytes) {
  const std::lock_guard guard(lock_);
  std::erase_if(stores_, [](const auto& entry) { return entry.second.expired(); });
  auto& kept = stores_[{name, bytes}];
  auto store = kept.lock();
  if (!store) {
    store = std::make_shared<SessionStore>(clock_, SessionStore::Limit{.bytes = bytes});
    kept = store;
    if (const auto saved = saved_.find({name, bytes}); saved != saved_.end()) {
      Unpacker from(saved->second);
      store->restore(from);
      OPENSSL_cleanse(saved->second.data(), saved->second.size());
      saved_.erase(saved);
    }
  }
  return store;
}

std::string SessionCaches::save(std::size_t room) {
  const std::lock_guard guard(lock_);
  Packer packer;
  for (const auto& [key, weak] : stores_) {
    const auto store = weak.lock();
    if (!store) continue;
    Packer one;
    store->save(one, room > packer.size() ? room - packer.size() : 0);
    packer.text(key.first);
    packer.number(key.second);
    packer.text(std::move(one).take());
  }
  return std::move(packer).take();
}

void SessionCaches::restore(std::string saved) {
  const std::lock_guard guard(lock_);
  Unpacker from(saved);
  while (!from.at_end()) {
    const auto name = from.text();
    const auto bytes = from.number();
    const auto store = from.text();
    if (!store) break;
    saved_[{std::string(*name), *bytes}] = *store;
  }
  OPENSSL_cleanse(saved.data(), saved.size());
}

std::shared_ptr<SessionStore> SessionCaches::builtin(std::size_t sessions) const {
  return std::make_shared<SessionStore>(clock_, SessionStore::Limit{.sessions = sessions});
}

}  // namespace gatescope::tls

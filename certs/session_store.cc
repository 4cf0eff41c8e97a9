#include "certs/session_store.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "certs/tls_context.h"

namespace gatescope::tls {

void SessionStore::put(std::string_view id, std::string session, Duration lifetime) {
  if (id.empty() || id.size() > kLongestId || session.size() > kLargestSession) return;
  Entries fresh(1);  // allocated before the lock is taken
  Entry& entry = fresh.front();
  std::memcpy(entry.id.data(), id.data(), id.size());
  entry.id_size = id.size();
  entry.session = std::move(session);
  entry.until = clock_.now() + lifetime;
  const std::lock_guard guard(lock_);
  if (const auto old = by_id_.find(id); old != by_id_.end()) remove(old->second);
  bytes_ += entry.cost();
  entries_.splice(entries_.begin(), fresh);
  by_id_.emplace(entries_.front().key(), entries_.begin());
  while (!entries_.empty() && (entries_.size() > limit_.sessions || bytes_ > limit_.bytes)) {
    remove(std::prev(entries_.end()));
  }
}

std::optional<std::string> SessionStore::find(std::string_view id) {
  const MonoTime now = clock_.now();
  const std::lock_guard guard(lock_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  const auto entry = found->second;
  if (entry->until <= now) {
    remove(entry);
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->session;
}

void SessionStore::erase(std::string_view id) {
  const std::lock_guard guard(lock_);
  if (const auto found = by_id_.find(id); found != by_id_.end()) remove(found->second);
}

std::size_t SessionStore::sessions() const {
  const std::lock_guard guard(lock_);
  return entries_.size();
}

std::size_t SessionStore::bytes() const {
  const std::lock_guard guard(lock_);
  return bytes_;
}

void SessionStore::save(Packer& to, std::size_t room) {
  ticket_keys_.save(to);
  const std::lock_guard guard(lock_);
  std::size_t count = 0, bytes = 0;
  for (const auto& entry : entries_) {
    if (bytes + entry.cost() > room) break;
    bytes += entry.cost();
    ++count;
  }
  to.number(count);
  for (const auto& entry : entries_) {
    if (count-- == 0) break;
    to.text(entry.key());
    to.text(entry.session);
    to.number(static_cast<std::uint64_t>(entry.until.time_since_epoch().count()));
  }
}

bool SessionStore::restore(Unpacker& from) {
  // Without keys, nobody has been given a ticket yet: those made here are as good.
  const bool keys = ticket_keys_.restore(from);
  const auto count = from.number();
  if (!count) return keys;
  struct Saved {
    std::string_view id, session;
    MonoTime until;
  };
  std::vector<Saved> saved;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto id = from.text(), session = from.text();
    const auto until = from.number();
    if (!until) return false;
    saved.push_back(
        {*id, *session, MonoTime(MonoTime::duration(static_cast<std::int64_t>(*until)))});
  }
  const MonoTime now = clock_.now();
  for (auto one = saved.rbegin(); one != saved.rend(); ++one)
    if (one->until > now)
      put(one->id, std::string(one->session),
          std::chrono::duration_cast<Duration>(one->until - now));
  return true;
}

void SessionStore::remove(Entries::iterator entry) {
  bytes_ -= entry->cost();
  by_id_.erase(entry->key());
  entries_.erase(entry);
}

namespace {

std::string_view id_of(const SSL_SESSION* session) {
  unsigned size = 0;
  const unsigned char* id = SSL_SESSION_get_id(session, &size);
  return {reinterpret_cast<const char*>(id), size};
}

/// The callbacks are those of the listener's default server; the store is the chosen server's.
const TlsContext& context_of(SSL* ssl) {
  return *static_cast<const TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

// 0: we keep no reference.
int on_new_session(SSL* ssl, SSL_SESSION* session) noexcept {
  const TlsContext& context = context_of(ssl);
  if (context.sessions() == nullptr) return 0;
  // Of TLS 1.3 OpenSSL tells also when the session travels in a ticket.
  const bool in_ticket = (SSL_get_options(ssl) & SSL_OP_NO_TICKET) == 0;
  if (SSL_version(ssl) == TLS1_3_VERSION && in_ticket) return 0;
  const int size = i2d_SSL_SESSION(session, nullptr);
  if (size <= 0 || static_cast<std::size_t>(size) > SessionStore::kLargestSession) return 0;
  std::string text(static_cast<std::size_t>(size), '\0');
  auto* at = reinterpret_cast<unsigned char*>(text.data());
  if (i2d_SSL_SESSION(session, &at) != size) return 0;
  context.sessions()->put(id_of(session), std::move(text), context.session_timeout());
  return 0;
}

SSL_SESSION* on_session_wanted(SSL* ssl, const unsigned char* id, int size, int* copy) noexcept {
  *copy = 0;  // the one reference is OpenSSL's
  const TlsContext& context = context_of(ssl);
  if (context.sessions() == nullptr || size <= 0) return nullptr;
  const auto text =
      context.sessions()->find({reinterpret_cast<const char*>(id), static_cast<std::size_t>(size)});
  if (!text) return nullptr;
  auto* at = reinterpret_cast<const unsigned char*>(text->data());
  return d2i_SSL_SESSION(nullptr, &at, static_cast<long>(text->size()));
}

}  // namespace

void use_session_store(SSL_CTX* context) {
  SSL_CTX_sess_set_new_cb(context, on_new_session);
  SSL_CTX_sess_set_get_cb(context, on_session_wanted);
}

void forget_session(SSL* ssl) {
  const TlsContext& context = context_of(ssl);
  const SSL_SESSION* session = SSL_get0_session(ssl);
  if (session != nullptr && context.sessions() != nullptr)
    context.sessions()->erase(id_of(session));
}

}  // namespace gatescope::tls

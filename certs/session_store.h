#pragma once

// One session cache, and OpenSSL's callbacks to it. Private to certs/.

#include <openssl/ssl.h>

#include <array>
#include <cstddef>
#include <limits>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "certs/ticket_keys.h"
#include "proxy/base/clock.h"

namespace gatescope::tls {

/// Sessions by their id, in the form that OpenSSL writes them; bounded, the longest unused go
/// first. All threads and all servers that name the cache use it, so it locks; nothing is encrypted
/// or parsed under the lock. Owned by the TlsContexts that use it.
class SessionStore {
 public:
  struct Limit {
    std::size_t sessions = std::numeric_limits<std::size_t>::max();
    std::size_t bytes = std::numeric_limits<std::size_t>::max();  // bookkeeping included
  };
  static constexpr std::size_t kLongestId = SSL_MAX_SSL_SESSION_ID_LENGTH;
  static constexpr std::size_t kLargestSession = 4096;  // as nginx: a long client certificate
  /// What a session costs besides its bytes: two nodes and their allocations.
  static constexpr std::size_t kOverhead = 176;

  /// The clock must be readable from any thread.
  SessionStore(const Clock& clock, const Limit& limit)
      : clock_(clock), limit_(limit), ticket_keys_(clock) {}
  SessionStore(const SessionStore&) = delete;
  SessionStore& operator=(const SessionStore&) = delete;

  /// Too long an id or session is not kept. An id that is there is replaced.
  void put(std::string_view id, std::string session, Duration lifetime);
  /// Nothing when it is unknown or has outlived its lifetime.
  std::optional<std::string> find(std::string_view id);
  void erase(std::string_view id);
  std::size_t sessions() const;
  std::size_t bytes() const;
  /// The last used first, at most so many bytes of them; and back. False: that was none.
  void save(Packer& to, std::size_t room);
  bool restore(Unpacker& from);
  /// Keys for tickets of the servers that share this cache.
  ChangingTicketKeys& ticket_keys() { return ticket_keys_; }

 private:
  struct Entry {
    std::array<char, kLongestId> id;
    std::size_t id_size = 0;
    std::string session;
    MonoTime until{};
    std::string_view key() const { return {id.data(), id_size}; }
    std::size_t cost() const { return session.size() + kOverhead; }
  };
  using Entries = std::list<Entry>;
  void remove(Entries::iterator entry);  // with the lock held

  const Clock& clock_;
  const Limit limit_;
  RollingTicketKeys ticket_keys_;

  mutable std::mutex lock_;                                        // guards what follows
  Entries entries_;                                                // the last used first
  std::unordered_map<std::string_view, Entries::iterator> by_id_;  // keys point into entries_
  std::size_t bytes_ = 0;
};

/// Makes connections of `context` keep their sessions in their TlsContext's store.
void use_session_store(SSL_CTX* context);

/// The session of this connection shall not be resumed from the store (a ticket still can be).
void forget_session(SSL* ssl);

}  // namespace gatescope::tls

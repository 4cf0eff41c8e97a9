#pragma once

// Sessions of clients that resume without tickets, kept in memory: ssl_session_cache.

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace gatescope::tls {

class SessionStore;  // certs/session_store.h

/// What the words of ssl_session_cache mean.
struct SessionCache {
  enum class Kind {
    Off,      // tells clients that no session may be resumed
    None,     // says that sessions may be resumed, keeps none (some mail clients insist)
    Builtin,  // one server's own, gone with its configuration
    Shared,   // by name: of all servers that name it, over reloads
  };
  Kind kind = Kind::None;
  std::size_t sessions = 0;  // Builtin: at most so many
  std::string name;          // Shared
  std::size_t bytes = 0;     // Shared: at most so many, bookkeeping included
};

/// `off`, `none`, `builtin[:SESSIONS]`, `shared:NAME:SIZE`, or the last two with a blank between:
/// then the shared one does the work of both. Errors are nginx's: `invalid session cache "x"`.
Result<SessionCache> parse_session_cache(std::string_view words);

/// The shared caches by name. One lives as long as a configuration that names it: the next one
/// finds it, with its sessions and its ticket keys. A name with another size is another cache.
/// Survives in Server; thread-safe.
class SessionCaches {
 public:
  /// The clock must be readable from any thread.
  explicit SessionCaches(const Clock& clock) : clock_(clock) {}
  /// Never null. Shared by the TlsContexts that ask for it, of every generation.
  std::shared_ptr<SessionStore> shared(const std::string& name, std::size_t bytes);
  std::shared_ptr<SessionStore> builtin(std::size_t sessions) const;
  /// For the program that takes over; at most so many bytes of sessions in all.
  std::string save(std::size_t room);
  /// What shared() makes later has what was saved of the same name and size. What cannot be read is
  /// left out.
  void restore(std::string saved);

 private:
  const Clock& clock_;
  std::mutex lock_;
  std::map<std::pair<std::string, std::size_t>, std::weak_ptr<SessionStore>> stores_;
  std::map<std::pair<std::string, std::size_t>, std::string> saved_;  // until it is asked for
};

}  // namespace gatescope::tls

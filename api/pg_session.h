#pragma once

// The only header that includes libpqxx; included by api/pg_*.cc only.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <string_view>
#include <utility>

#include "api/pg_lane.h"
#include "proxy/base/result.h"

namespace gatescope::api {

inline std::string_view text(const pqxx::field& f) {
  return {f.c_str(), f.size()};
}

/// libpqxx 7.10 renamed how prepared statements are run, 6.4 knows the old way only.
template <class... A>
pqxx::result run(pqxx::transaction_base& t, const char* name, A&&... a) {
#if PQXX_VERSION_MAJOR > 7 || (PQXX_VERSION_MAJOR == 7 && PQXX_VERSION_MINOR >= 10)
  return t.exec(pqxx::prepped{name}, pqxx::params{std::forward<A>(a)...});
#else
  return t.exec_prepared(name, std::forward<A>(a)...);
#endif
}

/// Lets the loop end what a lane thread does: it shuts the socket down, which wakes a libpq that
/// waits for a silent server. Shared by both, hence locked; never held while working.
class PgCut {
 public:
  /// From the loop: whatever runs fails now, whatever comes is refused.
  void cut();
  bool is_cut() const;
  /// From the lane thread: the socket that the work uses now; -1: none. The descriptor is not
  /// closed before it was taken back.
  void use(int fd);

 private:
  mutable std::mutex mutex_;
  int fd_ = -1;
  bool cut_ = false;
};

/// What all sessions of a lane know together. Thread-safe.
struct PgShared {
  std::mutex mutex;           // held while the schema is looked at
  bool schema_ready = false;  // tables are there, encoding is right; under the mutex
  /// Since a connection could not be made, in steady_clock's count: for a moment nobody tries, so
  /// that a dead server does not hold all threads for their connect timeouts.
  std::atomic<std::int64_t> refused_until{0};
};

/// One connection, of one thread of the lane. Made when first needed; after it broke, a new one is
/// made, once per piece of work, never by libpqxx itself. All exceptions of libpqxx end here.
class PgSession {
 public:
  explicit PgSession(PgShared& shared) : shared_(shared) {}
  Result<void> work(const std::string& connection_string, PgCut& cut, const PgWork& work);

  /// For the work itself.
  pqxx::connection& connection() { return *connection_; }

 private:
  Result<void> connect(const std::string& connection_string, PgCut& cut);
  Result<void> attempt(const std::string& connection_string, PgCut& cut, const PgWork& work,
                       bool& broken);

  PgShared& shared_;
  std::unique_ptr<pqxx::connection> connection_;  // null: none
  std::string connected_to_;
};

}  // namespace gatescope::api

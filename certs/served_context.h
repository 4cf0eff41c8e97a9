#pragma once

// What a server shows in its handshakes, and how that is exchanged while it serves.

#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "certs/tls_context.h"

namespace gatescope::tls {

/// The context of one server: handshakes that begin take it as it is then, and keep it. Owned by
/// the server's configuration. From any thread.
class ServedContext {
 public:
  explicit ServedContext(std::shared_ptr<const TlsContext> first) : context_(std::move(first)) {}

  std::shared_ptr<const TlsContext> get() const {
    const std::lock_guard lock(mutex_);
    return context_;
  }
  void exchange(std::shared_ptr<const TlsContext> next) {
    const std::lock_guard lock(mutex_);
    context_.swap(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsContext> context_;  // never null
};

/// ALPN of a handshake in which an authority looks whether we hold a name (RFC 8737).
inline constexpr std::string_view kProofProtocol = "acme-tls/1";

/// The contexts that such handshakes are answered with. From any thread.
class NameProofs {
 public:
  virtual ~NameProofs() = default;
  /// Null: nobody was asked to prove that he holds this name.
  virtual std::shared_ptr<const TlsContext> find(std::string_view name) const = 0;
};

}  // namespace gatescope::tls

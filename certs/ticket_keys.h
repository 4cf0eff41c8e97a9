#pragma once

// Session tickets: the keys that encrypt them and OpenSSL's callback. Private to certs/.

#include <openssl/ssl.h>

#include <array>
#include <mutex>
#include <optional>

#include "certs/tls_context.h"

namespace gatescope::tls {

/// A key is used for new tickets for a day and understood for another. Rotation happens when
/// somebody asks: no timer. Thread-safe; the clock must be readable from any thread.
struct TicketKeys::State {
  static constexpr std::chrono::hours kRotateAfter{24};
  static constexpr std::size_t kNameSize = 16;  // given by OpenSSL's callback

  struct Key {
    std::array<unsigned char, kNameSize> name;
    std::array<unsigned char, 32> cipher;  // AES-256-CBC
    std::array<unsigned char, 32> mac;     // HMAC-SHA256
  };
  struct Found {
    Key key;
    bool current = false;
  };

  explicit State(const Clock& time) : clock(time) {}
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  /// The key for new tickets; nullopt when there is no randomness.
  std::optional<Key> current_key();
  std::optional<Found> find(const unsigned char* name);

  const Clock& clock;

 private:
  bool rotate();  // with the lock held

  std::mutex lock_;
  std::optional<Key> current_, previous_;
  MonoTime made_{};  // when current_ was made
};

/// Makes `context` encrypt its tickets with these keys, which must outlive it and its connections.
void use_ticket_keys(SSL_CTX* context, TicketKeys::State& keys);

}  // namespace gatescope::tls

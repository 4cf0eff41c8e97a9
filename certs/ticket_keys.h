#pragma once

// Session tickets: the keys that encrypt them and OpenSSL's callback. Private to certs/.

#include <openssl/ssl.h>

#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "certs/tls_context.h"
#include "proxy/base/packed.h"

namespace gatescope::tls {

struct TicketKey {
  static constexpr std::size_t kNameSize = 16;  // given by OpenSSL's callback

  std::array<unsigned char, kNameSize> name;
  std::array<unsigned char, 32> cipher;  // AES-256-CBC; AES-128-CBC takes the first half
  std::array<unsigned char, 32> mac;     // HMAC-SHA256; of a short key the first half
  bool is_short = false;                 // from a file of 48 bytes
};

/// Where a context's ticket keys come from. Thread-safe.
class TicketKeySource {
 public:
  struct Found {
    TicketKey key;
    bool current = false;  // new tickets get it
  };
  virtual ~TicketKeySource() = default;
  /// The key for a ticket that is made now and good for `lifetime`; nullopt when there is no
  /// randomness.
  virtual std::optional<TicketKey> current_key(Duration lifetime) = 0;
  virtual std::optional<Found> find(const unsigned char* name, Duration lifetime) = 0;
};

/// Two keys, one for new tickets and one that is still understood. The clock must be readable from
/// any thread.
class ChangingTicketKeys : public TicketKeySource {
 public:
  explicit ChangingTicketKeys(const Clock& time) : clock(time) {}
  ~ChangingTicketKeys() override;
  ChangingTicketKeys(const ChangingTicketKeys&) = delete;
  ChangingTicketKeys& operator=(const ChangingTicketKeys&) = delete;
  std::optional<TicketKey> current_key(Duration lifetime) override;
  std::optional<Found> find(const unsigned char* name, Duration lifetime) override;
  /// For the program that takes over: its tickets are ours, and ours go on being understood there.
  void save(Packer& to);
  /// False: that was no saved keys, and nothing has changed.
  bool restore(Unpacker& from);

 protected:
  /// Changes the keys if it is time to; with the lock held. False: no randomness.
  virtual bool rotate(MonoTime now, Duration lifetime) = 0;
  /// What rotate() goes by.
  virtual std::array<MonoTime*, 2> times() = 0;
  bool make_current(bool keep_previous);

  const Clock& clock;
  std::optional<TicketKey> current_, previous_;

 private:
  std::mutex lock_;
};

/// A key is used for new tickets for a day and understood for another. Rotation happens when
/// somebody asks: no timer.
struct TicketKeys::State final : ChangingTicketKeys {
  static constexpr std::chrono::hours kRotateAfter{24};
  using ChangingTicketKeys::ChangingTicketKeys;

 private:
  bool rotate(MonoTime now, Duration lifetime) override;
  std::array<MonoTime*, 2> times() override { return {&made_, &unused_}; }
  MonoTime made_{};  // when current_ was made
  MonoTime unused_{};
};

/// Those of a shared session cache, as in nginx: as soon as no ticket under the previous key can be
/// valid any more the current one becomes the previous.
class RollingTicketKeys final : public ChangingTicketKeys {
 public:
  using ChangingTicketKeys::ChangingTicketKeys;

 private:
  bool rotate(MonoTime now, Duration lifetime) override;
  std::array<MonoTime*, 2> times() override { return {&current_until_, &previous_until_}; }
  MonoTime current_until_{}, previous_until_{};  // the end of the last ticket under each
};

/// ssl_session_ticket_key: the first encrypts, all decrypt.
class GivenTicketKeys final : public TicketKeySource {
 public:
  /// Errors name the file.
  static Result<std::unique_ptr<TicketKeySource>> read(const std::vector<NamedFile>& files,
                                                       SecretReader& secrets);
  ~GivenTicketKeys() override;
  std::optional<TicketKey> current_key(Duration lifetime) override;
  std::optional<Found> find(const unsigned char* name, Duration lifetime) override;

 private:
  std::vector<TicketKey> keys_;  // constant once made, so no lock; at least one
};

/// Makes `context` encrypt its tickets with the keys of its TlsContext.
void use_ticket_keys(SSL_CTX* context);

}  // namespace gatescope::tls

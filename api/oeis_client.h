#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/oeis.h"
#include "proxy/base/log.h"
#include "proxy/base/stats.h"
#include "proxy/net/https_client.h"

namespace gatescope::api {

struct OeisClientSettings {
  std::string base = "https://oeis.org";  // without a slash at the end
  Duration timeout{4000};                 // somebody waits for it; redirects included
  std::uint64_t max_bfile = 64u << 20;    // bytes
  std::uint64_t max_record = 16u << 20;   // the largest record has 0.15 MB, an answer ten of them
  int max_redirects = 5;
};

/// Asks the real oeis.org. Owned by ApiModule; everything handed in outlives it, and every Fetch is
/// destroyed before it.
class OeisClient final : public Oeis {
 public:
  OeisClient(net::HttpsClient& https, OeisClientSettings settings, const Clock& clock, Log& log,
             Stats* stats);
  ~OeisClient() override;

  std::unique_ptr<Fetch> fetch_bfile(SequenceId id, Urgency urgency, Done done) override;
  std::unique_ptr<Fetch> fetch_record(SequenceId id, Urgency urgency, Done done) override;
  std::unique_ptr<Fetch> search(std::string term, Done done) override;

 private:
  class Transfer;
  /// Every request to OEIS begins here: the place for pacing and the breaker.
  std::unique_ptr<net::HttpsTransfer> begin(net::HttpsRequest request, net::HttpsEvents& events);

  net::HttpsClient& https_;
  const OeisClientSettings settings_;
  const Clock& clock_;
  Log& log_;
  Counter* requests_ = nullptr;  // null: not counted
  Counter* failures_ = nullptr;
};

/// Whether a redirect from `base` to `target` may be followed: to the same host, or to https.
bool may_follow(std::string_view base, std::string_view target);

}  // namespace gatescope::api

#include "api/oeis_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/http/message.h"

namespace gatescope::api {

namespace {

/// "https://oeis.org:443" of an URL, lower case.
std::string origin_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  return lower(url.substr(0, std::min(url.find_first_of("/?#", scheme + 3), url.size())));
}

/// RFC 9110's words; ours for 503 and 504 are nginx's.
std::string_view reason_of(int status) {
  if (status == 503) return "Service Unavailable";
  if (status == 504) return "Gateway Timeout";
  return http::reason_of(status);
}

/// All but RFC 3986's unreserved characters as %XX.
std::string query_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~')
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

bool may_follow(std::string_view base, std::string_view target) {
  const std::string origin = origin_of(target);
  return origin.starts_with("https://") || (!origin.empty() && origin == origin_of(base));
}

/// One question with the redirects that it takes. Owned by the asker.
/// Waiting (again for each redirect) -> Done
class OeisClient::Transfer final : public Oeis::Fetch, private net::HttpsEvents {
 public:
  struct Wanted {
    std::string url;
    std::string_view content_type;  // a prefix
    std::uint64_t max_body;
    std::string not_found;  // the client's text for 404
  };
  Transfer(OeisClient& client, Wanted wanted, Done done)
      : client_(client),
        wanted_(std::move(wanted)),
        deadline_(client.clock_.now() + client.settings_.timeout),
        done_(std::move(done)) {
    go(wanted_.url);
  }

 private:
  void go(const std::string& url) {
    const auto left = std::chrono::duration_cast<Duration>(deadline_ - client_.clock_.now());
    transfer_ = client_.begin(
        {.url = url, .timeout = std::max(left, Duration(1)), .max_body = wanted_.max_body}, *this);
  }

  void on_answer(net::HttpsAnswer answer) override {
    const int status = answer.status;
    if (status >= 300 && status < 400 && !answer.redirect_url.empty()) return redirect(answer);
    if (status == 404)
      return fail(OeisFailure::Kind::NotFound, wanted_.not_found, "404 for " + wanted_.url);
    if (status < 200 || status > 299) {
      // As Python's requests words it; the client shows it.
      return refuse(fmt::format("{} {} Error: {}", status, status < 500 ? "Client" : "Server",
                                reason_of(status)));
    }
    if (!starts_with_ignoring_case(answer.content_type, wanted_.content_type))
      return refuse(fmt::format("Unexpected content type {}", answer.content_type));
    if (!answer.length_known) return refuse("Answer without a length, it may be cut");
    if (status != 200) return refuse(fmt::format("Unexpected status {}", status));
    finish(std::move(answer.body));
  }

  void on_request_failed(const Error& error) override {
    const std::string what = error.kind == ErrorKind::TooLarge  ? "Answer too large"
                             : error.kind == ErrorKind::Timeout ? "Timeout"
                                                                : "No connection";
    fail(error.kind == ErrorKind::TooLarge ? OeisFailure::Kind::Refused : OeisFailure::Kind::Silent,
         fmt::format("Error: {} for url: {}", what, wanted_.url),
         fmt::format("{} for {}: {}", what, wanted_.url, error.detail));
  }

  void redirect(const net::HttpsAnswer& answer) {
    if (++redirects_ > client_.settings_.max_redirects) return refuse("Too many redirects");
    if (!may_follow(client_.settings_.base, answer.redirect_url))
      return refuse("Redirect to another host");
    // The old transfer is below us on the stack: it goes when the next one has ended, or with us.
    previous_ = std::move(transfer_);
    go(answer.redirect_url);
  }

  void refuse(const std::string& what) {
    fail(OeisFailure::Kind::Refused, fmt::format("Error: {} for url: {}", what, wanted_.url),
         fmt::format("{} for {}", what, wanted_.url));
  }
  void fail(OeisFailure::Kind kind, std::string text, std::string detail) {
    if (client_.failures_ != nullptr) client_.failures_->add();
    client_.log_.print(kind == OeisFailure::Kind::NotFound ? LogLevel::Info : LogLevel::Warn,
                       "OEIS: {}", detail);
    finish(OeisFailure{kind, std::move(text), std::move(detail)});
  }
  void finish(OeisAnswer answer) {
    const Done done = std::move(done_);  // it may destroy this
    done(std::move(answer));
  }

  OeisClient& client_;
  const Wanted wanted_;
  const MonoTime deadline_;
  Done done_;
  int redirects_ = 0;
  std::unique_ptr<net::HttpsTransfer> previous_, transfer_;
};

OeisClient::OeisClient(net::HttpsClient& https, OeisClientSettings settings, const Clock& clock,
                       Log& log, Stats* stats)
    : https_(https), settings_(std::move(settings)), clock_(clock), log_(log) {
  if (stats == nullptr) return;
  requests_ = &stats->counter("oeis_requests", "requests", "Requests sent to OEIS.");
  failures_ = &stats->counter("oeis_failures", "requests", "Questions that OEIS did not answer.");
}

OeisClient::~OeisClient() = default;

std::unique_ptr<net::HttpsTransfer> OeisClient::begin(net::HttpsRequest request,
                                                      net::HttpsEvents& events) {
  if (requests_ != nullptr) requests_->add();
  return https_.start(std::move(request), events);
}

std::unique_ptr<Oeis::Fetch> OeisClient::fetch_bfile(SequenceId id, Urgency, Done done) {
  return std::make_unique<Transfer>(
      *this,
      Transfer::Wanted{
          .url = fmt::format("{}/{}/b{}.txt", settings_.base, id.text(), id.digits()),
          .content_type = "text/plain",
          .max_body = settings_.max_bfile,
          .not_found = fmt::format("Error: B-file for ID '{}' not found in OEIS.", id.text())},
      std::move(done));
}

std::unique_ptr<Oeis::Fetch> OeisClient::fetch_record(SequenceId id, Urgency, Done done) {
  return std::make_unique<Transfer>(
      *this,
      Transfer::Wanted{
          .url = fmt::format("{}/search?q=id:{}&fmt=json", settings_.base, id.text()),
          .content_type = "",  // it has been text/plain, text/json and application/json
          .max_body = settings_.max_record,
          .not_found = fmt::format("Error: ID '{}' not found in OEIS.", id.text())},
      std::move(done));
}

std::unique_ptr<Oeis::Fetch> OeisClient::search(std::string term, Done done) {
  return std::make_unique<Transfer>(
      *this,
      Transfer::Wanted{
          .url = fmt::format("{}/search?q={}&fmt=json", settings_.base, query_escape(term)),
          .content_type = "",
          .max_body = settings_.max_record,
          .not_found = "Error: OEIS has no search."},
      std::move(done));
}

}  // namespace gatescope::api

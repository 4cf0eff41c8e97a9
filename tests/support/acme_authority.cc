#include "tests/support/acme_authority.h"

#include <fmt/format.h>

#include <algorithm>

#include "certs/acme/base64url.h"
#include "certs/acme/certificate.h"
#include "proxy/base/text.h"

namespace gatescope::test {

using nlohmann::json;

/// Answers after a while, in virtual time.
class AcmeAuthority::Transfer final : public net::HttpsTransfer, private net::TimerEvents {
 public:
  Transfer(AcmeAuthority& authority, net::HttpsRequest request, net::HttpsEvents& events)
      : authority_(authority),
        request_(std::move(request)),
        events_(events),
        timer_(authority.loop_.make_timer(*this)) {
    timer_->start(authority.rules.latency);
  }

 private:
  void on_timer(net::Timer&) override {
    auto answer = authority_.answer(request_);
    if (answer.status != 0) return events_.on_answer(std::move(answer));
    events_.on_request_failed(
        make_error(ErrorKind::Refused, Origin::Upstream, request_.url + ": could not connect"));
  }
  AcmeAuthority& authority_;
  const net::HttpsRequest request_;
  net::HttpsEvents& events_;
  const std::unique_ptr<net::Timer> timer_;
};

class AcmeAuthority::Client final : public net::HttpsClient {
 public:
  explicit Client(AcmeAuthority& authority) : authority_(authority) {}
  std::unique_ptr<net::HttpsTransfer> start(net::HttpsRequest request,
                                            net::HttpsEvents& events) override {
    return std::make_unique<Transfer>(authority_, std::move(request), events);
  }

 private:
  AcmeAuthority& authority_;
};

AcmeAuthority::AcmeAuthority(SimLoop& loop) : loop_(loop), key_(*tls::make_p256_key()) {
  root_ = *tls::issue_certificate({.common_name = "test authority",
                                   .is_ca = true,
                                   .not_before = now() - std::chrono::hours(24),
                                   .lifetime = std::chrono::hours(24 * 3650)},
                                  key_.get());
}

std::unique_ptr<net::HttpsClient> AcmeAuthority::make(net::Loop&, net::HttpsClientSettings) {
  return std::make_unique<Client>(*this);
}

int AcmeAuthority::asked(const std::string& path) const {
  return static_cast<int>(
      std::ranges::count_if(asked_, [&](const auto& a) { return a.starts_with(path); }));
}

std::vector<std::string> AcmeAuthority::tokens() const {
  std::vector<std::string> tokens;
  for (const auto& authorization : authorizations_)
    if (authorization.status == "pending") tokens.push_back(authorization.token);
  return tokens;
}

void AcmeAuthority::forget_all() {
  accounts_.clear();
  orders_.clear();
  authorizations_.clear();
  nonces_.clear();
}

void AcmeAuthority::close_accounts() {
  for (const auto& account : accounts_)
    account->closed = true;
}

std::string AcmeAuthority::new_nonce() {
  return *nonces_.insert(fmt::format("nonce{}", ++number_)).first;
}

net::HttpsAnswer AcmeAuthority::answer(const net::HttpsRequest& request) {
  Call call{.request = request, .path = request.url.substr(base().size())};
  asked_.push_back(call.path);
  for (auto& fault : faults) {
    if (fault.times == 0 || !call.path.starts_with(fault.path)) continue;
    if (fault.times > 0) --fault.times;
    if (fault.status == 0) return {};
    refuse(call, fault.status, fault.type, fault.detail);
    if (!fault.retry_after.empty())
      call.answer.headers.emplace_back("retry-after", fault.retry_after);
    return call.answer;
  }
  route(call);
  if (request.method != "GET") call.answer.headers.emplace_back("replay-nonce", new_nonce());
  return call.answer;
}

void AcmeAuthority::give(Call& call, int status, const json& body) {
  call.answer.status = status;
  call.answer.body = body.dump();
}

void AcmeAuthority::refuse(Call& call, int status, const std::string& type,
                           const std::string& detail) {
  give(call, status, {{"type", "urn:ietf:params:acme:error:" + type}, {"detail", detail}});
}

void AcmeAuthority::route(Call& call) {
  const auto& path = call.path;
  if (path == "/dir") {
    json directory{{"newNonce", base() + "/nonce"},
                   {"newAccount", base() + "/account"},
                   {"newOrder", base() + "/order"},
                   {"meta", json::object()}};
    if (rules.advises) directory["renewalInfo"] = base() + "/advice";
    if (rules.terms) directory["meta"]["termsOfService"] = base() + "/terms";
    if (!rules.binding_kid.empty()) directory["meta"]["externalAccountRequired"] = true;
    for (const auto& [name, lifetime] : rules.profiles)
      directory["meta"]["profiles"][name] = "a kind";
    return give(call, 200, directory);
  }
  if (path == "/nonce") return give(call, 200, {});
  if (path.starts_with("/advice/")) return advise(call, path.substr(8));
  if (!check_signature(call)) return;
  if (path == "/account") return new_account(call);
  if (path == "/order") return new_order(call);
  const auto slash = path.find('/', 1);
  const auto kind = path.substr(0, slash);
  const auto rest = slash == std::string::npos ? std::string() : path.substr(slash + 1);
  const auto number = static_cast<std::size_t>(parse_unsigned(rest).value_or(1u << 30));
  if (kind == "/chal") return challenge(call, rest);
  if (kind == "/orders" && number < orders_.size()) return get_order(call, number);
  if (kind == "/finalize" && number < orders_.size()) return finalize(call, number);
  if (kind == "/authz" && number < authorizations_.size()) return get_authorization(call, number);
  if (kind == "/cert" && number < orders_.size()) {
    call.answer.status = 200;
    call.answer.body = orders_[number].certificate;
    return;
  }
  refuse(call, 404, "malformed", "no such thing");
}

bool AcmeAuthority::check_signature(Call& call) {
  const auto& r = call.request;
  const bool jose = std::ranges::any_of(r.headers, [](const auto& h) {
    return h.first == "Content-Type" && h.second == "application/jose+json";
  });
  if (r.method != "POST" || !jose) complain(call.path + " is no POST of application/jose+json");
  auto jws = read_jws(r.body);
  if (!jws) {
    complain(call.path + ": " + jws.error().detail);
    refuse(call, 400, "malformed", jws.error().detail);
    return false;
  }
  call.jws = std::move(*jws);
  const auto& head = call.jws.head;
  const bool good = nonces_.erase(head.value("nonce", "")) == 1;
  if (!good || loop_.world().random().chance(rules.bad_nonces)) {
    refuse(call, 400, "badNonce", "take this one");
    return false;
  }
  if (head.value("url", "") != r.url) complain(call.path + ": another url is signed");
  if (head.contains("jwk") == head.contains("kid"))
    complain(call.path + ": not one of jwk and kid");
  json jwk = head.value("jwk", json());
  if (head.contains("jwk") != (call.path == "/account")) complain(call.path + ": jwk or kid?");
  if (head.contains("kid")) {
    for (const auto& account : accounts_)
      if (account->url == head["kid"]) call.account = account.get();
    if (!call.account) {
      refuse(call, 400, "accountDoesNotExist", "who are you?");
      return false;
    }
    if (call.account->closed) {
      refuse(call, 403, "unauthorized", "this account is closed");
      return false;
    }
    jwk = call.account->jwk;
  }
  const auto key = key_of_jwk(jwk);
  if (key && verify_jws(call.jws, key.get())) return true;
  complain(call.path + ": the signature is wrong");
  refuse(call, 400, "malformed", "the signature is wrong");
  return false;
}

void AcmeAuthority::new_account(Call& call) {
  const auto& jwk = call.jws.head["jwk"];
  const auto thumbprint = thumbprint_of_jwk(jwk);
  for (const auto& account : accounts_)
    if (account->thumbprint == thumbprint) {
      if (account->closed) return refuse(call, 403, "unauthorized", "that account is closed");
      give(call, 200, {{"status", "valid"}});
      call.answer.headers.emplace_back("location", account->url);
      return;
    }
  const auto& payload = call.jws.payload;
  if (rules.terms && !payload.value("termsOfServiceAgreed", false))
    return refuse(call, 403, "userActionRequired", "agree first");
  if (!rules.binding_kid.empty()) {
    auto binding = read_jws(payload.value("externalAccountBinding", json::object()).dump());
    if (!binding || binding->head.value("kid", "") != rules.binding_kid ||
        binding->head.value("url", "") != call.request.url || binding->payload != jwk ||
        !verify_mac(*binding, rules.binding_key))
      return refuse(call, 403, "unauthorized", "the binding is wrong");
  }
  auto account = std::make_unique<Account>();
  account->url = fmt::format("{}/acct/{}", base(), ++number_);
  account->thumbprint = thumbprint;
  account->jwk = jwk;
  give(call, 201, {{"status", "valid"}});
  call.answer.headers.emplace_back("location", account->url);
  accounts_.push_back(std::move(account));
}

void AcmeAuthority::new_order(Call& call) {
  const auto& payload = call.jws.payload;
  Order order{.account = call.account->url};
  order.profile = payload.value("profile", "");
  order.replaces = payload.value("replaces", "");
  if (!order.replaces.empty() && !rules.advises) complain("replaces without renewalInfo");
  for (const auto& issued : issued_)
    if (!order.replaces.empty() && issued.replaces == order.replaces)
      return refuse(call, 409, "alreadyReplaced", "once is enough");
  if (!order.profile.empty() && !rules.profiles.contains(order.profile))
    return refuse(call, 400, "invalidProfile", "no such profile");
  for (const auto& identifier : payload.value("identifiers", json::array())) {
    const auto name = identifier.value("value", "");
    const bool ip = !tls::ip_bytes(name).empty();
    if (identifier.value("type", "") != (ip ? "ip" : "dns")) complain("the type of " + name);
    order.names.push_back(name);
    order.authorizations.push_back(authorizations_.size());
    authorizations_.push_back({.name = name, .token = fmt::format("token-{}", ++number_)});
  }
  if (order.names.empty()) complain("an order for nothing");
  orders_.push_back(std::move(order));
  give(call, 201, describe(orders_.back(), orders_.size() - 1));
  call.answer.headers.emplace_back("location",
                                   fmt::format("{}/orders/{}", base(), orders_.size() - 1));
}

json AcmeAuthority::describe(const Order& order, std::size_t number) const {
  json text{{"status", order.status},
            {"identifiers", json::array()},
            {"authorizations", json::array()},
            {"finalize", fmt::format("{}/finalize/{}", base(), number)}};
  for (const auto at : order.authorizations)
    text["authorizations"].push_back(fmt::format("{}/authz/{}", base(), at));
  if (order.status == "valid") text["certificate"] = fmt::format("{}/cert/{}", base(), number);
  return text;
}

void AcmeAuthority::get_order(Call& call, std::size_t number) {
  auto& order = orders_[number];
  if (!call.jws.payload.is_null()) complain("an order is read with a payload");
  if (order.status == "processing" && order.polls-- == 0) order.status = "valid";
  give(call, 200, describe(order, number));
}

void AcmeAuthority::get_authorization(Call& call, std::size_t number) {
  if (!call.jws.payload.is_null()) complain("an authorization is read with a payload");
  const auto& a = authorizations_[number];
  json text{
      {"status", a.status},
      {"identifier", {{"type", tls::ip_bytes(a.name).empty() ? "dns" : "ip"}, {"value", a.name}}},
      {"challenges", json::array()}};
  for (const char* type : {"dns-01", "http-01", "tls-alpn-01"}) {
    json c{{"type", type},
           {"url", fmt::format("{}/chal/{}/{}", base(), number, type)},
           {"status", a.status},
           {"token", a.token}};
    if (!a.error.empty())
      c["error"] = {{"type", "urn:ietf:params:acme:error:unauthorized"}, {"detail", a.error}};
    text["challenges"].push_back(c);
  }
  give(call, 200, text);
}

void AcmeAuthority::challenge(Call& call, const std::string& rest) {
  const auto slash = rest.find('/');
  const auto number = static_cast<std::size_t>(parse_unsigned(rest.substr(0, slash)).value_or(0));
  if (call.jws.payload != json::object()) complain("a challenge is answered with more than {}");
  give(call, 200, {{"status", "processing"}});
  loop_.world().after(
      Duration(500), &loop_, "validate",
      [this, number, type = rest.substr(slash + 1), thumbprint = call.account->thumbprint] {
        decide(number, type, thumbprint);
      });
}

void AcmeAuthority::decide(std::size_t number, const std::string& type,
                           const std::string& thumbprint) {
  if (number >= authorizations_.size()) return;
  auto& a = authorizations_[number];
  const auto text = a.token + "." + thumbprint;
  a.error = validate ? validate(type, a.name, a.token, text) : std::string();
  a.status = a.error.empty() ? "valid" : "invalid";
  for (auto& order : orders_) {
    if (std::ranges::find(order.authorizations, number) == order.authorizations.end()) continue;
    if (!a.error.empty()) order.status = "invalid";
    const bool all = std::ranges::all_of(order.authorizations, [&](std::size_t at) {
      return authorizations_[at].status == "valid";
    });
    if (all && order.status == "pending") order.status = "ready";
  }
}

void AcmeAuthority::finalize(Call& call, std::size_t number) {
  auto& order = orders_[number];
  if (order.status != "ready") return refuse(call, 403, "orderNotReady", order.status);
  using RequestPtr = std::unique_ptr<X509_REQ, tls::Freed<X509_REQ_free>>;
  const auto der = acme::base64url_decode(call.jws.payload.value("csr", "")).value_or("");
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const RequestPtr request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (!request || X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())) != 1) {
    complain("the certificate request is broken");
    return refuse(call, 400, "badCSR", "broken");
  }
  order.certificate = issue(order, request.get());
  order.polls = rules.slow_orders;
  order.status = order.polls == 0 ? "valid" : "processing";
  give(call, 200, describe(order, number));
}

std::string AcmeAuthority::issue(Order& order, X509_REQ* request) {
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request);
  const tls::GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr)));
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  if (!names || static_cast<std::size_t>(sk_GENERAL_NAME_num(names.get())) != order.names.size())
    complain("the certificate request has other names than the order");
  const auto profile = rules.profiles.find(order.profile);
  const auto lifetime = profile == rules.profiles.end() ? rules.lifetime : profile->second;
  auto certificate =
      *tls::issue_certificate({.common_name = order.names.front(),
                               .names = order.names,
                               .not_before = now() - std::chrono::hours(1),
                               .lifetime = lifetime},
                              X509_REQ_get0_pubkey(request), root_.get(), key_.get());
  const auto id = acme::renewal_id(certificate.get());
  issued_.push_back({.names = order.names,
                     .not_before = now() - std::chrono::hours(1),
                     .not_after = now() - std::chrono::hours(1) + lifetime,
                     .id = id,
                     .replaces = order.replaces,
                     .profile = order.profile,
                     .account = order.account});
  return *tls::to_pem(certificate.get()) + root_pem();
}

void AcmeAuthority::advise(Call& call, const std::string& id) {
  const auto issued = std::ranges::find_if(issued_, [&](const auto& i) { return i.id == id; });
  if (issued == issued_.end()) {
    complain("advice on a certificate that nobody has: " + id);
    return refuse(call, 404, "malformed", "never issued");
  }
  const auto lifetime = issued->not_after - issued->not_before;
  auto start = issued->not_before + lifetime * 2 / 3, end = start + lifetime / 50;
  json text;
  if (to_replace.contains(id)) {
    start = now() - std::chrono::hours(2);
    end = now() - std::chrono::hours(1);
    text["explanationURL"] = base() + "/incident";
  }
  const auto in_rfc3339 = [](WallTime time) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    const std::time_t value = seconds;
    std::tm parts{};
    ::gmtime_r(&value, &parts);
    char buffer[32];
    std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return std::string(buffer);
  };
  text["suggestedWindow"] = {{"start", in_rfc3339(start)}, {"end", in_rfc3339(end)}};
  give(call, 200, text);
  call.answer.headers.emplace_back("retry-after", "21600");
}

}  // namespace gatescope::test

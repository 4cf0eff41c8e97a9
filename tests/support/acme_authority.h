#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "certs/issue_certificate.h"
#include "proxy/net/https_client.h"
#include "tests/support/acme_jws.h"
#include "tests/support/sim_loop.h"

namespace gatescope::test {

/// How an AcmeAuthority behaves; may change while it runs.
struct AuthorityRules {
  std::chrono::hours lifetime{24 * 90};
  std::map<std::string, std::chrono::hours> profiles;  // name to lifetime
  double bad_nonces = 0;                               // chance that a good one is refused
  bool advises = true;                                 // RFC 9773
  bool terms = true;
  std::string binding_kid, binding_key;  // an account must be bound; the key in clear
  unsigned slow_orders = 0;              // polls that find an order processing
  Duration latency{20};
};

/// Something that goes wrong: the next `times` requests for such a URL ("/order", "/finalize" ...).
struct AuthorityFault {
  std::string path;
  int status = 500;  // 0: no answer at all
  std::string type = "serverInternal", retry_after, detail = "made to fail";
  int times = 1;
};

/// An authority of RFC 8555 in the simulated world: every request's signature, nonce and form are
/// checked, and what breaks a rule is complained of. Names are validated by a callback. Owned by
/// the test; outlives its clients.
class AcmeAuthority final : public net::HttpsClients {
 public:
  struct Issued {
    std::vector<std::string> names;
    WallTime not_before, not_after;
    std::string id, replaces, profile, account;
  };
  explicit AcmeAuthority(SimLoop& loop);
  std::unique_ptr<net::HttpsClient> make(net::Loop& loop, net::HttpsClientSettings) override;

  std::string directory() const { return base() + "/dir"; }
  AuthorityRules rules;
  std::vector<AuthorityFault> faults;
  /// Type of the challenge, name, token, key authorization: what is wrong; empty: it is valid.
  std::function<std::string(const std::string& type, const std::string& name,
                            const std::string& token, const std::string& authorization)>
      validate;
  /// Certificates that should be replaced at once, by their RFC 9773 identifiers.
  std::set<std::string> to_replace;

  const std::vector<Issued>& issued() const { return issued_; }
  std::size_t accounts() const { return accounts_.size(); }
  std::size_t orders() const { return orders_.size(); }
  /// Requests for URLs that begin so.
  int asked(const std::string& path) const;
  /// Of the challenges that wait for an answer.
  std::vector<std::string> tokens() const;
  /// Rules that the client broke; a correct one leaves this empty.
  const std::vector<std::string>& complaints() const { return complaints_; }
  std::string root_pem() const { return *tls::to_pem(root_.get()); }
  /// Forgets everything but what it has issued, as pebble does when it starts again.
  void forget_all();
  /// RFC 8555 7.3.6: of all that are there now.
  void close_accounts();

 private:
  class Client;
  class Transfer;
  struct Account {
    std::string url, thumbprint;
    nlohmann::json jwk;
    bool closed = false;
  };
  struct Authorization {
    std::string name, status = "pending", token, error;
  };
  struct Order {
    std::string status = "pending", account, profile, replaces, certificate, error;
    std::vector<std::string> names;
    std::vector<std::size_t> authorizations;
    unsigned polls = 0;
  };
  struct Call {
    const net::HttpsRequest& request;
    std::string path;
    SignedRequest jws;
    Account* account = nullptr;
    net::HttpsAnswer answer;
  };

  std::string base() const { return "https://authority.test"; }
  net::HttpsAnswer answer(const net::HttpsRequest& request);
  void route(Call& call);
  bool check_signature(Call& call);
  void new_account(Call& call);
  void new_order(Call& call);
  void get_order(Call& call, std::size_t number);
  void get_authorization(Call& call, std::size_t number);
  void challenge(Call& call, const std::string& rest);
  void decide(std::size_t number, const std::string& type, const std::string& thumbprint);
  void finalize(Call& call, std::size_t number);
  void advise(Call& call, const std::string& id);
  std::string issue(Order& order, X509_REQ* request);
  nlohmann::json describe(const Order& order, std::size_t number) const;
  void give(Call& call, int status, const nlohmann::json& body);
  void refuse(Call& call, int status, const std::string& type, const std::string& detail);
  void complain(const std::string& what) { complaints_.push_back(what); }
  std::string new_nonce();
  WallTime now() const { return loop_.clock().wall(); }

  SimLoop& loop_;
  tls::KeyPtr key_;
  tls::X509Ptr root_;
  std::set<std::string> nonces_;
  std::uint64_t number_ = 0;
  std::vector<std::unique_ptr<Account>> accounts_;
  std::vector<Order> orders_;
  std::vector<Authorization> authorizations_;
  std::vector<Issued> issued_;
  std::vector<std::string> asked_, complaints_;
};

}  // namespace gatescope::test

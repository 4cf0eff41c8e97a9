#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/net/dns.h"

namespace gatescope::test {

/// net::DnsClients that answer from a table, in virtual time. What is not in it is NotFound. Owned
/// by the test; outlives its clients.
class SimDns final : public net::DnsClients {
 public:
  using Key = std::pair<std::string, net::DnsType>;
  std::unique_ptr<net::DnsClient> make(net::Loop& loop, const std::vector<net::Endpoint>& servers,
                                       net::DnsEvents& events) override;

  /// IPv4 addresses.
  void set(const std::string& name, const std::vector<std::string>& addresses,
           std::uint32_t ttl = 60);
  void set_answer(const std::string& name, net::DnsType type, Result<net::DnsAnswer> answer) {
    answers_.insert_or_assign(Key{name, type}, std::move(answer));
  }
  void fail(const std::string& name, ErrorKind kind);
  void forget(const std::string& name);
  /// Asked so far, A records only.
  int asked(const std::string& name) const {
    const auto found = asked_.find(name);
    return found == asked_.end() ? 0 : found->second;
  }

  Duration delay{5};    // from a question to its answer
  bool silent = false;  // no answer comes

 private:
  class Client;
  std::map<Key, Result<net::DnsAnswer>> answers_;
  std::map<std::string, int> asked_;
};

}  // namespace gatescope::test

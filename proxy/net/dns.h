#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/net/endpoint.h"
#include "proxy/net/loop.h"

namespace gatescope::net {

enum class DnsType : std::uint16_t { A = 1, Cname = 5, Aaaa = 28, Srv = 33 };

/// A resource record. What its type does not have is empty.
struct DnsRecord {
  std::string name;  // whose it is; in lower case, without a dot at the end
  DnsType type = DnsType::A;
  std::uint32_t ttl = 0;                             // seconds
  Endpoint address;                                  // A, AAAA; without port
  std::string target;                                // CNAME, SRV; as `name`
  std::uint16_t priority = 0, weight = 0, port = 0;  // SRV
};
using DnsAnswer = std::vector<DnsRecord>;

/// The answer section of a message, without records of other types. Error Protocol: not such a
/// message.
Result<DnsAnswer> read_dns_answer(std::span<const unsigned char> message);

class DnsEvents {
 public:
  virtual ~DnsEvents() = default;
  /// An answer without records of the type that was asked for: there is none (a CNAME may lead to
  /// one). Errors: NotFound (no such name), Timeout, Unreachable, Refused, Protocol, Unavailable
  /// (the server's failure); their detail is a few words.
  virtual void on_dns_answer(std::uint64_t question, Result<DnsAnswer> answer) = 0;
};

/// Asks name servers; knows of sockets, retries and TCP behind UDP, and nothing of caches. Owned by
/// its user; destroying it drops every question in silence.
class DnsClient {
 public:
  virtual ~DnsClient() = default;
  /// Exactly one event, never from inside. `question`: the asker's number for it.
  virtual void ask(const std::string& name, DnsType type, std::uint64_t question) = 0;
};

/// Makes them; an interface, so that tests may answer from a table.
class DnsClients {
 public:
  virtual ~DnsClients() = default;
  /// `servers` are tried in this order. The loop and `events` outlive the client.
  virtual std::unique_ptr<DnsClient> make(Loop& loop, const std::vector<Endpoint>& servers,
                                          DnsEvents& events) = 0;
};

/// The real ones: c-ares on the loop.
class AresClients final : public DnsClients {
 public:
  std::unique_ptr<DnsClient> make(Loop& loop, const std::vector<Endpoint>& servers,
                                  DnsEvents& events) override;
};

}  // namespace gatescope::net

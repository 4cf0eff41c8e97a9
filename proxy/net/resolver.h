#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/net/dns.h"

namespace gatescope::net {

/// `resolver`: who is asked, and how.
struct ResolverSettings {
  std::vector<Endpoint> servers;  // empty: there is no resolver
  bool ipv4 = true, ipv6 = true;
  std::optional<Duration> valid;  // how long an answer holds; none: what the answer says
  std::string key() const;        // equal for two that give the same answers
};

struct ServiceRecord {
  std::string target;
  std::uint16_t port = 0, priority = 0, weight = 0;
};

/// What a name means. IPv4 addresses stand first, as often as they were told.
struct Resolved {
  std::vector<Endpoint> addresses;      // of Ask::Addresses; without port
  std::vector<ServiceRecord> services;  // of Ask::Services
  MonoTime expires{};
};

class ResolveEvents {
 public:
  virtual ~ResolveEvents() = default;
  virtual void on_resolved(const Resolved& resolved) = 0;
  /// NotFound: there is no such name, or nothing of that kind under it. Anything else says nothing
  /// about the name.
  virtual void on_resolve_failed(const Error& error) = 0;
};

/// Names into addresses, with a bounded cache; whoever asks for the same meanwhile shares the
/// question. Failures are not kept. Owned by its user; lives on one loop, which outlives it, and
/// outlives its lookups.
class Resolver final : private DnsEvents {
 public:
  enum class Ask { Addresses, Services };
  /// A question under way; destroying it drops the event. Exactly one event, never from inside
  /// resolve().
  class Lookup {
   public:
    virtual ~Lookup() = default;
  };
  static constexpr std::size_t kMaxNames = 4096;     // kept; those used longest ago go first
  static constexpr std::size_t kMaxQuestions = 512;  // under way; more fail with Busy

  Resolver(Loop& loop, const ResolverSettings& settings, DnsClients& clients);
  ~Resolver() override;
  std::unique_ptr<Lookup> resolve(std::string_view name, Ask what, Duration timeout,
                                  ResolveEvents& events);
  std::size_t kept() const { return kept_.size(); }

 private:
  class Waiter;
  struct Part;
  struct Question;
  struct Kept {
    std::string key;
    Resolved resolved;
  };
  using Kepts = std::list<Kept>;

  void on_dns_answer(std::uint64_t number, Result<DnsAnswer> answer) override;
  const Resolved* find(const std::string& key);
  void keep(const std::string& key, const Resolved& resolved);
  void ask_all(Question& question);
  static void take(Question& question, Part& part, DnsAnswer& answer);
  void finish(Question& question);
  void forget(Waiter& waiter);

  // Constant after construction
  Loop& loop_;
  const ResolverSettings settings_;
  const std::unique_ptr<DnsClient> client_;

  Kepts kept_;  // used last first
  std::unordered_map<std::string, Kepts::iterator> kept_by_key_;
  std::unordered_map<std::string, std::unique_ptr<Question>> questions_;  // under way, by key
  std::unordered_map<std::uint64_t, std::pair<Question*, Part*>> asked_;  // by the client's number
  std::uint64_t next_number_ = 1;
};

}  // namespace gatescope::net

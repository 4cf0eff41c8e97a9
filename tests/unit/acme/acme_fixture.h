#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "certs/acme/issuer.h"
#include "tests/support/acme_authority.h"
#include "tests/support/catch.h"

namespace gatescope::acme::test {

using gatescope::test::AcmeAuthority;
using std::chrono::hours;
using std::chrono::minutes;

/// Lines as "[level] text", with the virtual time of day.
class MemoryLog final : public Log {
 public:
  explicit MemoryLog(const Clock& clock) : clock_(clock) {}
  bool enabled(LogLevel level) const override { return level <= LogLevel::Info; }
  void write(LogLevel level, std::string_view message) override {
    lines.push_back(fmt::format("[{}] {}", name_of(level), message));
    times.push_back(clock_.wall());
  }
  /// How many lines hold the text.
  int count(std::string_view text) const;
  std::string all() const;
  std::vector<std::string> lines;
  std::vector<WallTime> times;

 private:
  const Clock& clock_;
};

/// An authority, a state folder, and one issuer at work, in virtual time.
class AcmeWorld : private IssuerEvents {
 public:
  explicit AcmeWorld(std::vector<std::string> names = {"a.test"}, std::uint64_t seed = 1);
  ~AcmeWorld() override;

  /// Made and started; an earlier one is gone, as if killed.
  void start();
  void kill();
  /// Until so many certificates were issued and are shown. False: not within that time.
  bool shown(std::size_t count, Duration within);
  void run_for(Duration time) { world.run_for(time); }
  std::vector<std::string> files() const;  // in the state folder, sorted
  WallTime now() const { return loop.clock().wall(); }
  const CertificateFacts& facts(std::size_t certificate = 0) const {
    return *issuer->renewals().at(certificate)->facts();
  }

  gatescope::test::SimWorld world;
  gatescope::test::SimLoop loop{world};
  AcmeAuthority authority{loop};
  MemoryLog log{loop.clock()};
  tls::OwnSecrets secrets;
  tls::TicketKeys tickets{loop.clock()};
  tls::SessionCaches caches{loop.clock()};
  ChallengeStore challenges;
  std::string folder;
  IssuerPlan plan;
  std::shared_ptr<net::WorkerLane> lane;
  std::unique_ptr<Issuer> issuer;
  std::vector<std::string> bundles;  // as they were shown
  std::vector<std::string> tried;    // how each try ended: why not; empty: it went well
  bool demand = false;               // start() is renew_now()
  std::uint64_t starts = 0;

 private:
  void on_certificate(const std::string& secret_name, const std::string& bundle) override;
  void on_tried(const CertificateSettings& certificate, const Failure* failure) override;
};

}  // namespace gatescope::acme::test

#include "api/pg_claims.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "api/pg_session.h"

namespace gatescope::api {

namespace {

constexpr Duration kLease{6'000}, kExtendEvery{2'000};
constexpr Duration kDeadline{4'000};         // of whoever waits for a claim
constexpr Duration kGiveBackWithin{10'000};  // then its time is up anyway

std::string list(const std::vector<std::int64_t>& numbers) {
  return fmt::format("{{{}}}", fmt::join(numbers, ","));
}

}  // namespace

class PgClaims::Held final : public Claim {
 public:
  Held(PgClaims& claims, std::int64_t number) : claims_(claims), number_(number) {}
  ~Held() override { claims_.give_back(number_); }

 private:
  PgClaims& claims_;
  const std::int64_t number_;
};

/// A claim being asked for. Owned by the asker; destroyed before the answer, it gives back what may
/// have been granted.
class PgClaims::Asking final : public SequenceStore::Job {
 public:
  Asking(PgClaims& claims, Key key, Done done)
      : claims_(claims), number_(claims.next_number_++), done_(std::move(done)) {
    auto granted = std::make_shared<bool>(false);
    job_ = claims_.lane_.run(
        [key, number = number_, owner = claims_.owner_, granted](PgSession& session) {
          pqxx::nontransaction t(session.connection());
          *granted = !run(t, "claim", key.sequence, static_cast<int>(key.kind), owner, number,
                          kLease.count())
                          .empty();
          return Result<void>();
        },
        kDeadline,
        [this, key, granted](Result<void> result) {
          asked_ = true;
          const Done told = std::move(done_);  // it may destroy this
          if (!result) return told(result.error());
          told(*granted ? claims_.grant(key, number_) : std::unique_ptr<Claim>());
        });
  }
  ~Asking() override {
    job_.reset();
    if (!asked_) claims_.give_back(number_);
  }

 private:
  PgClaims& claims_;
  const std::int64_t number_;
  Done done_;
  bool asked_ = false;
  std::unique_ptr<PgLane::Job> job_;
};

PgClaims::PgClaims(net::Loop& loop, PgLane& lane, std::string owner)
    : lane_(lane), owner_(std::move(owner)), extend_(loop.make_timer(*this)) {}

PgClaims::~PgClaims() = default;

std::unique_ptr<SequenceStore::Job> PgClaims::claim(SequenceId id, Kind kind, Done done) {
  return std::make_unique<Asking>(*this, Key{static_cast<std::int32_t>(id.number()), kind},
                                  std::move(done));
}

std::unique_ptr<Claim> PgClaims::grant(Key key, std::int64_t number) {
  held_.emplace(number, key);
  if (!extend_->running() && !extending_) extend_->start(kExtendEvery);
  return std::make_unique<Held>(*this, number);
}

void PgClaims::give_back(std::int64_t number) {
  held_.erase(number);
  // Behind what the work stored: who gets the claim next must find that.
  lane_.run_detached_last(
      "giving a claim back",
      [owner = owner_, number](PgSession& session) {
        pqxx::nontransaction t(session.connection());
        run(t, "give_back_claim", owner, number);
        return Result<void>();
      },
      kGiveBackWithin);
}

void PgClaims::on_timer(net::Timer&) {
  if (held_.empty()) return;
  std::vector<std::int64_t> sequences, kinds, numbers;
  for (const auto& [number, key] : held_) {
    sequences.push_back(key.sequence);
    kinds.push_back(static_cast<int>(key.kind));
    numbers.push_back(number);
  }
  extending_ = lane_.run(
      [owner = owner_, sequences = list(sequences), kinds = list(kinds),
       numbers = list(numbers)](PgSession& session) {
        pqxx::nontransaction t(session.connection());
        run(t, "extend_claims", owner, sequences, kinds, numbers, kLease.count());
        return Result<void>();
      },
      kDeadline,
      [this](const Result<void>&) {
        extending_.reset();  // a failure is told by all other work, and the next try is near
        if (!held_.empty()) extend_->start(kExtendEvery);
      });
}

}  // namespace gatescope::api

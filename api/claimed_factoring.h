#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "api/claims.h"
#include "api/factoring.h"
#include "api/store.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

/// Of several gatescopes on one database one factors a sequence: a claim comes before the work, and
/// is given back when that is over and stored. While another one works, what it has stored is read
/// once a second for those who wait here, and the claim is tried again: so the work of one that
/// died is taken over. In the background what another one does is not waited for. Without claims,
/// or when they fail, work goes on without: it is only done twice then. On loop 0's thread.
class ClaimedFactoring final : public Factoring, private net::TimerEvents {
 public:
  struct Sources {
    Claims* claims = nullptr;
    SequenceStore* store = nullptr;
  };
  ClaimedFactoring(net::Loop& loop, LocalFactoring& local);
  ~ClaimedFactoring() override;

  /// From now on; empty: no claims. Whoever waits goes on without.
  void use(Sources sources);

  std::unique_ptr<Request> factor(Job job, std::size_t count, Duration within, Done done) override;
  void factor_in_background(Job job) override;

  std::size_t claimed() const { return works_.size(); }

 private:
  class Asking;
  struct Work;

  void on_timer(net::Timer&) override;
  Work* work_for(const Job& job);
  void claim(Work& work);
  void on_claim(SequenceId id, Result<std::unique_ptr<Claim>> claim);
  void read(Work& work);
  void on_read(SequenceId id, Result<StoredSequence> stored);
  void begin(Work& work);
  void tell_those_who_have_enough(SequenceId id);
  void end(SequenceId id);

  net::Loop& loop_;
  LocalFactoring& local_;
  Sources sources_;
  std::unordered_map<SequenceId, std::unique_ptr<Work>> works_;
  const std::unique_ptr<net::Timer> tick_;
};

}  // namespace gatescope::api

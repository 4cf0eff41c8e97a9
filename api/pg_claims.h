#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "api/claims.h"
#include "api/pg_lane.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

/// The table gatescope.claim. A claim ends six seconds after its gatescope was last heard of, and
/// is extended every two: work of a dead one is taken over soon. When the database is away for
/// longer, somebody else may get the same: double work, no harm. Owned by ApiModule; the lane
/// outlives it, it outlives its Claims.
class PgClaims final : public Claims, private net::TimerEvents {
 public:
  /// `owner`: make_instance_id().
  PgClaims(net::Loop& loop, PgLane& lane, std::string owner);
  ~PgClaims() override;
  std::unique_ptr<SequenceStore::Job> claim(SequenceId id, Kind kind, Done done) override;
  std::size_t held() const { return held_.size(); }

 private:
  class Held;
  class Asking;
  struct Key {
    std::int32_t sequence;
    Kind kind;
  };
  std::unique_ptr<Claim> grant(Key key, std::int64_t number);
  void give_back(std::int64_t number);
  void on_timer(net::Timer& timer) override;

  // Constant after construction
  PgLane& lane_;
  const std::string owner_;
  const std::unique_ptr<net::Timer> extend_;

  std::int64_t next_number_ = 1;
  std::map<std::int64_t, Key> held_;        // by number
  std::unique_ptr<PgLane::Job> extending_;  // null: not under way
};

}  // namespace gatescope::api

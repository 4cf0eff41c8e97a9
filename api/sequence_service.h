#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "api/client_limit.h"
#include "api/sequence_cache.h"
#include "api/sequence_flight.h"
#include "api/sequences.h"
#include "proxy/base/stats.h"

namespace gatescope::api {

struct SequenceServiceSettings {
  std::size_t cache_bytes = 64u << 20;
  Duration deadline{5000};             // of whoever waits: 4 s for OEIS and 1 s for the rest
  Duration provisional{60'000};        // how long first terms or a placeholder answer again
  Duration missing{24 * 3600 * 1000};  // how long OEIS is not asked again for what it has not
  std::size_t max_missing = 10'000;    // so many ids are remembered as missing
  std::size_t max_flights = 256;       // sequences being obtained at the same time
  std::size_t max_of_client = 8;       // ... that one client address waits for
};

/// Knows sequences: from memory, else by one SequenceFlight per sequence, whose answer all who
/// asked meanwhile get. A failure leaves nothing behind. Lives on loop 0 (find_at() is for any
/// thread), owned by ApiModule, survives reloads.
class SequenceService final : public Sequences, private FlightEvents {
 public:
  SequenceService(net::Loop& loop, Log& log, SequenceServiceSettings settings, Stats* stats);
  ~SequenceService() override;

  /// From now on. Whoever waits is told to come again; what is in memory stays.
  void use(SequenceSources sources);

  std::optional<SequenceAnswer> find(SequenceId id, Need need) override {
    return find_at(id, need, loop_.clock().now());
  }
  /// The same from any loop's thread; `now` of its clock.
  std::optional<SequenceAnswer> find_at(SequenceId id, Need need, MonoTime now);
  std::unique_ptr<Request> ask(SequenceId id, Need need, const std::string& client,
                               SequenceWaiter& waiter) override;
  std::size_t flights() const { return flights_.size(); }

 private:
  class Asking;
  struct Flight {
    std::unique_ptr<SequenceFlight> flight;  // null: could not be begun
    std::vector<Asking*> waiters;
  };
  void on_encoded(SequenceFlight& flight, std::shared_ptr<const EncodedSequence> encoded) override;
  void on_entry_stored() override;
  void on_landed(SequenceFlight& flight, const SequenceAnswer& reason, bool missing) override;
  void take_off(SequenceId id, Flight& flight);
  void deliver_to_leaving(const SequenceAnswer& answer);
  void remember_missing(SequenceId id, const Refusal& refusal);
  void forget(Asking& asking);

  // Constant after construction
  net::Loop& loop_;
  Log& log_;
  const SequenceServiceSettings settings_;
  Counter* hits_ = nullptr;  // null: not counted
  Counter* misses_ = nullptr;
  Counter* refused_ = nullptr;
  Counter* waiting_ = nullptr;
  Counter* entries_stored_ = nullptr;

  SequenceSources sources_;  // no store: everything is Unavailable
  ClientLimit clients_;
  struct Missing {
    MonoTime until;
    Refusal refusal;
  };
  std::unordered_map<SequenceId, Flight> flights_;
  std::deque<Asking*> leaving_;  // being told now; one that is destroyed meanwhile is taken out

  std::mutex mutex_;  // guards what follows
  SequenceCache cache_;
  std::unordered_map<SequenceId, Missing> missing_;
};

}  // namespace gatescope::api

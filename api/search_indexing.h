#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/search_index.h"
#include "api/search_store.h"
#include "proxy/base/log.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

/// Makes an index of what is stored, on a thread of low priority, piece by piece: the database's
/// lane is free for others in between.
///   Stamp -> Reading <-> Adding, -> Building -> done; a failure -> Resting -> Stamp
/// Owned by SearchService, on its loop; destroying it drops the work.
class SearchIndexing final : private net::TimerEvents {
 public:
  /// Once; it may destroy this.
  using Done = std::function<void(std::shared_ptr<const SearchIndex>)>;

  /// The store outlives it. `oeisdata`: a tree of entries, for as long as it has not been imported;
  /// empty: none. `nice`: of the thread; 0: as the others.
  SearchIndexing(net::Loop& loop, Log& log, SearchStore& store, std::string oeisdata, int nice,
                 Done done);
  ~SearchIndexing() override;
  /// SearchStore::load_stamp() of before the first entry was read; empty: not yet.
  const std::string& stamp() const { return stamp_; }

 private:
  struct Work;  // shared with the thread
  void begin();
  void on_stamp(Result<std::string> stamp);
  void read();
  void on_read(Result<SearchBatch> batch);
  void build();
  void on_built();
  void submit(std::function<void(Work&)> work, net::Task done);
  void rest(std::string why);
  void on_timer(net::Timer& timer) override;

  net::Loop& loop_;
  Log& log_;
  SearchStore& store_;
  const std::string oeisdata_;
  const int nice_;
  Done done_;
  const std::unique_ptr<net::Timer> again_;
  std::shared_ptr<Work> work_;
  std::shared_ptr<net::WorkerLane> lane_;
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
  std::unique_ptr<SearchStore::Job> job_;
  std::string stamp_;
  std::uint32_t after_ = 0;
  MonoTime begun_{};
  unsigned failures_ = 0;
  std::string trouble_;
};

}  // namespace gatescope::api

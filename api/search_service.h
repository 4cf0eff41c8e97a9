#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "api/api_directives.h"
#include "api/oeis.h"
#include "api/search.h"
#include "api/search_index.h"
#include "api/search_indexing.h"
#include "api/search_oeis.h"
#include "api/search_store.h"
#include "proxy/base/log.h"
#include "proxy/base/stats.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

/// Where searches are answered from. All but `where` may be missing.
struct SearchSources {
  SearchStore* store = nullptr;
  Oeis* oeis = nullptr;  // null: never asked
  std::string oeisdata;  // a small tree is searched without having been imported; empty: none
  SearchWhere where = SearchWhere::Local;
  std::string entries_of;  // names what is searched: when that is another, a new index is made
};

struct SearchServiceSettings {
  Duration deadline{4900};        // of whoever waits
  std::size_t max_queue = 256;    // searches that wait for a loop's thread
  std::size_t max_waiting = 256;  // ... for the first index
  std::size_t max_oeis = 32;      // ... for OEIS
  int index_nice = 0;             // of the thread that makes an index, beside those that answer
};

class SearchEvents {
 public:
  virtual ~SearchEvents() = default;
  /// What was found before may be found otherwise now.
  virtual void on_search_renewed() = 0;
};

/// Finds in memory what is stored: on a thread for each loop, for a search may take a millisecond
/// or two. Until the first index is there searches wait for it: nothing that is answered was made
/// up. Asks OEIS as configured. Owned by ApiModule, lives on loop 0 (`home`), survives reloads.
class SearchService final : public Searching {
 public:
  SearchService(net::Loop& home, Log& log, SearchServiceSettings settings, Stats* stats);
  /// After all Requests, and when no other loop runs any more.
  ~SearchService() override;

  /// From now on; what was in memory is kept until there is something newer. Who waits for OEIS or
  /// for an index is told to come again.
  void use(SearchSources sources);
  void set_events(SearchEvents* events) { events_ = events; }  // null: nobody
  /// What is stored has changed: a new index takes the place of the old one when it is ready.
  void renew();
  /// It may have changed: looks first.
  void renew_if_changed();

  /// From any loop.
  std::unique_ptr<Request> search(net::Loop& loop, std::string term, Done done) override;
  std::shared_ptr<const SearchIndex> index() const;

 private:
  class Asked;
  struct Gate {    // the asking loop's, though both hold it
    Asked* asked;  // null: he has gone
  };
  /// One who waits for something of loop 0.
  struct Waiting {
    net::Loop& loop;
    std::shared_ptr<Gate> gate;
    std::unique_ptr<OeisSearch> oeis;  // null: he waits for the index
  };
  /// Loop 0's answer: look into the index again, or this.
  using Reply = std::variant<std::monostate, SearchAnswer>;

  SearchWhere where() const;
  std::shared_ptr<net::WorkerLane> lane_of(net::Loop& loop);
  void ask_home(net::Task task);
  void wait_for_index(std::uint64_t number, net::Loop& loop, std::shared_ptr<Gate> gate);
  void ask_oeis(std::uint64_t number, std::string term, net::Loop& loop,
                std::shared_ptr<Gate> gate);
  static void reply(const Waiting& waiting, Reply answer);
  void end(std::uint64_t number);
  void send_away(const std::string& why);
  void on_index(std::shared_ptr<const SearchIndex> index);

  // Constant after construction
  net::Loop& home_;
  Log& log_;
  const SearchServiceSettings settings_;
  Counter* searches_ = nullptr;  // null: not counted
  Counter* refused_ = nullptr;
  Counter* entries_ = nullptr;

  mutable std::mutex mutex_;                  // guards what follows
  std::shared_ptr<const SearchIndex> index_;  // null: not yet
  SearchWhere where_ = SearchWhere::Local;
  std::vector<std::pair<net::Loop*, std::shared_ptr<net::WorkerLane>>> lanes_;
  std::uint64_t next_number_ = 1;

  // Loop 0's
  std::shared_ptr<SearchService*> self_;  // weakly held by what is posted here
  SearchSources sources_;
  SearchEvents* events_ = nullptr;
  std::unique_ptr<SearchIndexing> indexing_;  // null: nothing to do
  bool renew_again_ = false;                  // something changed while it ran
  std::string stamp_;                         // of the index: SearchStore::load_stamp()
  std::unique_ptr<SearchStore::Job> look_;    // for renew_if_changed()
  std::string indexed_;  // SearchSources::entries_of of the index, or of the one being made
  std::unordered_map<std::uint64_t, Waiting> waiting_;
  std::size_t at_oeis_ = 0;  // of them
};

}  // namespace gatescope::api

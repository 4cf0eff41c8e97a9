#include "api/search_service.h"

#include <utility>

#include "api/search_asked.h"

namespace gatescope::api {

namespace {

constexpr Duration kLookDeadline{20'000};

}  // namespace

SearchService::SearchService(net::Loop& home, Log& log, SearchServiceSettings settings,
                             Stats* stats)
    : home_(home), log_(log), settings_(settings), self_(std::make_shared<SearchService*>(this)) {
  if (stats == nullptr) return;
  searches_ = &stats->counter("searches", "searches", "Searches that were begun.");
  refused_ = &stats->counter("searches_refused", "searches",
                             "Searches that were told to come again later.");
  entries_ = &stats->gauge("search_entries", "entries", "Entries that are searched in memory.");
}

SearchService::~SearchService() = default;

void SearchService::use(SearchSources sources) {
  send_away("the configuration has changed");
  home_.discard(std::move(look_));
  if (indexing_) {
    home_.discard(std::move(indexing_));
    indexed_.clear();
  }
  renew_again_ = false;
  sources_ = std::move(sources);
  std::shared_ptr<const SearchIndex> dropped;
  {
    const std::lock_guard lock(mutex_);
    where_ = sources_.where;
    if (where_ == SearchWhere::Oeis) dropped.swap(index_);
  }
  if (where() == SearchWhere::Oeis) indexed_.clear();
  if (sources_.store == nullptr || indexed_ == sources_.entries_of) return;
  indexed_ = sources_.entries_of;
  renew();
}

void SearchService::renew() {
  if (sources_.store == nullptr || sources_.where == SearchWhere::Oeis) return;
  if (indexing_) {
    renew_again_ = true;
    return;
  }
  indexing_ = std::make_unique<SearchIndexing>(
      home_, log_, *sources_.store, sources_.oeisdata, settings_.index_nice,
      [this](std::shared_ptr<const SearchIndex> index) { on_index(std::move(index)); });
}

void SearchService::renew_if_changed() {
  if (sources_.store == nullptr || sources_.where == SearchWhere::Oeis) return;
  look_ = sources_.store->load_stamp(kLookDeadline, [this](Result<std::string> stamp) {
    home_.discard(std::move(look_));
    if (!stamp) return;  // it is away again: when it is back, somebody asks again
    const std::string& known = indexing_ ? indexing_->stamp() : stamp_;
    // Without a stamp one is about to be read.
    if (!known.empty() && known != *stamp) renew();
  });
}

void SearchService::on_index(std::shared_ptr<const SearchIndex> index) {
  stamp_ = indexing_->stamp();
  home_.discard(std::move(indexing_));
  if (entries_ != nullptr) entries_->set(static_cast<std::int64_t>(index->entries()));
  {
    const std::lock_guard lock(mutex_);
    index_.swap(index);
  }
  for (auto place = waiting_.begin(); place != waiting_.end();) {
    if (place->second.oeis) {
      ++place;
    } else {
      reply(place->second, {});
      place = waiting_.erase(place);
    }
  }
  if (std::exchange(renew_again_, false)) renew();
  if (events_ != nullptr) events_->on_search_renewed();
}

std::shared_ptr<const SearchIndex> SearchService::index() const {
  const std::lock_guard lock(mutex_);
  return index_;
}

SearchWhere SearchService::where() const {
  const std::lock_guard lock(mutex_);
  return where_;
}

std::shared_ptr<net::WorkerLane> SearchService::lane_of(net::Loop& loop) {
  const std::lock_guard lock(mutex_);
  for (const auto& [of, lane] : lanes_)
    if (of == &loop) return lane;
  auto lane = loop.make_lane({.name = "search", .threads = 1, .queue_limit = settings_.max_queue});
  lanes_.emplace_back(&loop, lane);
  return lane;
}

std::unique_ptr<Searching::Request> SearchService::search(net::Loop& loop, std::string term,
                                                          Done done) {
  if (searches_ != nullptr) searches_->add();
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = next_number_++;
  }
  return std::make_unique<Asked>(*this, loop, number, std::move(term), std::move(done));
}

void SearchService::ask_home(net::Task task) {
  home_.post([self = std::weak_ptr(self_), task = std::move(task)] {
    if (self.lock()) task();
  });
}

void SearchService::wait_for_index(std::uint64_t number, net::Loop& loop,
                                   std::shared_ptr<Gate> gate) {
  const Waiting waiting{loop, std::move(gate), nullptr};
  if (index()) return reply(waiting, {});
  if (!indexing_) return reply(waiting, Unavailable{"there is no database to search in"});
  if (waiting_.size() - at_oeis_ >= settings_.max_waiting)
    return reply(waiting, Unavailable{"too many wait for the search index"});
  waiting_.emplace(number, Waiting{loop, waiting.gate, nullptr});
}

void SearchService::ask_oeis(std::uint64_t number, std::string term, net::Loop& loop,
                             std::shared_ptr<Gate> gate) {
  Waiting waiting{loop, std::move(gate), nullptr};
  if (sources_.store == nullptr && sources_.oeis == nullptr)
    return reply(waiting, Unavailable{"there is nothing to search in"});
  if (at_oeis_ >= settings_.max_oeis)
    return reply(waiting, Unavailable{"too many searches wait for OEIS"});
  waiting.oeis = std::make_unique<OeisSearch>(
      std::move(term), sources_.store, sources_.oeis, [this, number](SearchAnswer answer) {
        // The index has been asked before.
        if (where() == SearchWhere::LocalThenOeis && std::holds_alternative<Unavailable>(answer))
          answer = NoneHere{};
        reply(waiting_.at(number), std::move(answer));
        end(number);
      });
  ++at_oeis_;
  OeisSearch& search = *waiting.oeis;
  waiting_.emplace(number, std::move(waiting));
  search.start();
}

void SearchService::reply(const Waiting& waiting, Reply answer) {
  waiting.loop.post([gate = waiting.gate, answer = std::move(answer)]() mutable {
    if (gate->asked != nullptr) gate->asked->on_reply(std::move(answer));
  });
}

/// His answer is on its way, or he has gone.
void SearchService::end(std::uint64_t number) {
  const auto place = waiting_.find(number);
  if (place == waiting_.end()) return;
  if (place->second.oeis) --at_oeis_;
  home_.discard(std::move(place->second.oeis));  // it may be below us on the stack
  waiting_.erase(place);
}

void SearchService::send_away(const std::string& why) {
  while (!waiting_.empty()) {
    reply(waiting_.begin()->second, Unavailable{why, 1});
    end(waiting_.begin()->first);
  }
}

}  // namespace gatescope::api

#include "api/search_indexing.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "api/search_tree.h"

namespace gatescope::api {

namespace {

// About 6 MB and 50 ms of the database's lane each.
constexpr std::size_t kBatch = 16'384;
constexpr Duration kBatchDeadline{20'000};
constexpr Duration kFirstRest{1000}, kLongestRest{30'000};

}  // namespace

/// One of both has it: the loop while nothing is submitted, else the thread.
struct SearchIndexing::Work {
  std::atomic<bool> stop{false};  // the loop's to set at any time
  SearchIndex::Builder builder;
  std::shared_ptr<const SearchIndex> index;
  TreeEntries tree;
};

SearchIndexing::SearchIndexing(net::Loop& loop, Log& log, SearchStore& store, std::string oeisdata,
                               int nice, Done done)
    : loop_(loop),
      log_(log),
      store_(store),
      oeisdata_(std::move(oeisdata)),
      nice_(nice),
      done_(std::move(done)),
      again_(loop.make_timer(*this)) {
  begin();
}

SearchIndexing::~SearchIndexing() {
  work_->stop = true;
}

void SearchIndexing::begin() {
  work_ = std::make_shared<Work>();
  lane_ = loop_.make_lane({.name = "search index", .threads = 1});
  begun_ = loop_.clock().now();
  after_ = 0;
  stamp_.clear();
  job_ = store_.load_stamp(kBatchDeadline, [this](auto stamp) { on_stamp(std::move(stamp)); });
}

void SearchIndexing::on_stamp(Result<std::string> stamp) {
  if (!stamp) return rest(stamp.error().detail);
  stamp_ = std::move(*stamp);
  read();
}

void SearchIndexing::read() {
  job_ = store_.load_entries(after_, kBatch, kBatchDeadline,
                             [this](auto batch) { on_read(std::move(batch)); });
}

void SearchIndexing::on_read(Result<SearchBatch> batch) {
  if (!batch) return rest(batch.error().detail);
  if (batch->size() == 0) return build();
  after_ = (*batch)[batch->size() - 1].number;
  const bool last = batch->size() < kBatch;
  auto entries = std::make_shared<SearchBatch>(std::move(*batch));
  submit(
      [entries](Work& work) {
        for (std::size_t i = 0; i < entries->size(); ++i)
          work.builder.add((*entries)[i]);
      },
      [this, last] { last ? build() : read(); });
}

void SearchIndexing::build() {
  submit(
      [oeisdata = oeisdata_](Work& work) {
        if (!oeisdata.empty() && work.builder.entries() < TreeEntries::kMost)
          work.tree.add_to(work.builder, oeisdata, work.stop);
        work.index = work.builder.build(work.stop);
      },
      [this] { on_built(); });
}

void SearchIndexing::on_built() {
  if (!work_->tree.problem.empty()) log_.print(LogLevel::Warn, "{}", work_->tree.problem);
  if (!work_->index) return rest("the index could not be built");
  const auto& index = *work_->index;
  log_.print(LogLevel::Notice, "search: {} entries are in memory, {} MB, after {} ms",
             index.entries(), index.bytes() >> 20,
             std::chrono::duration_cast<Duration>(loop_.clock().now() - begun_).count());
  const Done done = std::move(done_);  // it may destroy this
  done(work_->index);
}

void SearchIndexing::submit(std::function<void(Work&)> work, net::Task done) {
  auto ticket = lane_->submit(
      [shared = work_, nice = nice_, work = std::move(work)](unsigned) {
        // Of this thread alone, as Linux has it.
        if (nice != 0) ::setpriority(PRIO_PROCESS, 0, nice);
        if (!shared->stop) work(*shared);
      },
      std::move(done));
  if (!ticket) return rest(ticket.error().detail);
  ticket_ = std::move(*ticket);
}

void SearchIndexing::rest(std::string why) {
  if (trouble_ != why) log_.print(LogLevel::Error, "search: entries cannot be read: {}", why);
  trouble_ = std::move(why);
  job_.reset();
  ticket_.reset();
  again_->start(std::min(kLongestRest, kFirstRest * (1 << std::min(failures_++, 5u))));
}

void SearchIndexing::on_timer(net::Timer&) {
  begin();
}

}  // namespace gatescope::api

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/oeis.h"
#include "api/search.h"
#include "api/search_store.h"

namespace gatescope::api {

/// Asks OEIS, unless it found something for the same term before.   Stored -> Asking -> done
/// Owned by SearchService, on the loop of both; destroying it drops the question.
class OeisSearch {
 public:
  using Done = std::function<void(SearchAnswer)>;

  /// Both outlive it; null: there is none. `done` once, it may destroy this.
  OeisSearch(std::string term, SearchStore* store, Oeis* oeis, Done done)
      : term_(std::move(term)), store_(store), oeis_(oeis), done_(std::move(done)) {}
  /// Never calls back from inside. Precondition: there is a store, or OEIS.
  void start();

 private:
  void on_stored(Result<std::optional<std::vector<FoundSequence>>> found);
  void ask();
  void on_answer(OeisAnswer answer);
  void finish(SearchAnswer answer);

  const std::string term_;
  SearchStore* const store_;
  Oeis* const oeis_;
  Done done_;
  std::unique_ptr<SearchStore::Job> job_;
  std::unique_ptr<Oeis::Fetch> fetch_;
};

}  // namespace gatescope::api

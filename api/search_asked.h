#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/search_service.h"

namespace gatescope::api {

/// One search, on the loop that asks. Owned by who waits.
///   Begun -> Searching -> (Home -> ...) -> told; from anywhere by the deadline
class SearchService::Asked final : public Searching::Request, private net::TimerEvents {
 public:
  Asked(SearchService& service, net::Loop& loop, std::uint64_t number, std::string term, Done done);
  ~Asked() override;
  void on_reply(Reply reply);

 private:
  void begin();
  void search(std::shared_ptr<const SearchIndex> index);
  void on_found(const std::shared_ptr<const SearchIndex>& index, std::vector<FoundSequence> found);
  void ask_home(bool oeis);
  void refuse_later(std::string why);
  void finish(SearchAnswer answer);
  void on_timer(net::Timer& timer) override;

  SearchService& service_;
  net::Loop& loop_;
  const std::uint64_t number_;
  const std::string term_;
  Done done_;
  const std::shared_ptr<Gate> gate_;
  const std::unique_ptr<net::Timer> deadline_;
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
  bool at_home_ = false;  // loop 0 knows of it
  std::string trouble_;   // why it cannot be
};

}  // namespace gatescope::api

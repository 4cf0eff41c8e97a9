#pragma once

#include <memory>
#include <string>

#include "api/flight.h"

namespace gatescope::api {

/// One search, for however many typed the same.   (made) -> Searching -> Landed
class SearchFlight final : public Flight {
 public:
  SearchFlight(std::string term, const SequenceSources& sources, net::Loop& loop,
               FlightEvents& events)
      : key_{Topic::Search, SequenceId(0), std::move(term)},
        searching_(*sources.searching),
        loop_(loop),
        events_(events) {}
  void start() override;

 private:
  void on_found(SearchAnswer answer);

  const AnswerKey key_;
  Searching& searching_;
  net::Loop& loop_;
  FlightEvents& events_;
  std::unique_ptr<Searching::Request> request_;
};

}  // namespace gatescope::api

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "api/sequence_id.h"
#include "api/sequences.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

/// One line of a search's answer. A value.
struct FoundSequence {
  SequenceId id;
  std::string name;
  bool operator==(const FoundSequence&) const = default;
};
/// Nothing is found here, and OEIS, which may know more, did not answer: none, but only for now.
struct NoneHere {};
/// At most 10, best first; none is an answer too.
using SearchAnswer = std::variant<std::vector<FoundSequence>, Unavailable, NoneHere>;

/// Whoever finds sequences by what a user types. Owned by ApiModule.
class Searching {
 public:
  /// Somebody waits; destroying it means that he has gone, and the search need not be made.
  class Request {
   public:
    virtual ~Request() = default;
  };
  using Done = std::function<void(SearchAnswer)>;

  virtual ~Searching() = default;
  /// `term` is UTF-8 of at most 200 characters, with anything in it. From any loop; `done` is
  /// called on that loop, once, never from inside, within 5 s; it may destroy the Request.
  virtual std::unique_ptr<Request> search(net::Loop& loop, std::string term, Done done) = 0;
};

}  // namespace gatescope::api

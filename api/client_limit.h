#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/sequence_id.h"

namespace gatescope::api {

/// How many different sequences each client waits for, so that one who walks through all numbers
/// does not take every place. Any number of requests for the same sequence count once. Owned by
/// SequenceService, one thread.
class ClientLimit {
 public:
  explicit ClientLimit(std::size_t sequences) : limit_(sequences) {}

  /// False, and nothing counted: he waits for as many others as he may.
  bool enter(const std::string& client, SequenceId id);
  /// Once for each enter() that was true.
  void leave(const std::string& client, SequenceId id);
  std::size_t clients() const { return waiting_.size(); }

 private:
  struct Waiting {
    SequenceId id;
    std::size_t requests;
  };
  const std::size_t limit_;
  std::unordered_map<std::string, std::vector<Waiting>> waiting_;  // none is empty
};

}  // namespace gatescope::api

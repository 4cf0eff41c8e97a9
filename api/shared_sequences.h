#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "api/sequence_service.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

/// The service for every loop: loop 0 asks it directly; from the others a question is posted there
/// and the answer is posted back. What is in memory is found from any loop at once. Owned by
/// ApiModule, made and destroyed on loop 0, after the other loops' exchanges have gone.
class SharedSequences final : public SequencesByLoop {
 public:
  SharedSequences(net::Loop& home, SequenceService& service);
  ~SharedSequences() override;
  /// From any loop's thread, for that loop.
  Sequences& on(net::Loop& loop) override;
  std::size_t questions() const { return questions_.size(); }  // of other loops, waiting

 private:
  class Remote;
  class Asked;
  class Proxy;
  struct Mailbox;
  void begin(std::uint64_t number, const Question& question, const std::string& client,
             net::Loop& asker, std::shared_ptr<Mailbox> mailbox);
  void end(std::uint64_t number);

  // Constant after construction
  net::Loop& home_;
  SequenceService& service_;

  std::atomic<std::uint64_t> next_number_{1};
  std::mutex mutex_;  // guards remotes_, not what it points to
  std::vector<std::unique_ptr<Remote>> remotes_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Proxy>> questions_;  // loop 0's
};

}  // namespace gatescope::api

#pragma once

#include <list>
#include <memory>
#include <vector>

#include "api/answer.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

/// Makes compressed forms of answers on a worker, each once however many wait for it. Owned by
/// SequenceService, on loop 0.
class FormMaker {
 public:
  class Waiter {
   public:
    virtual ~Waiter() = default;
    /// May destroy him.
    virtual void on_form(const std::shared_ptr<const AnswerForm>& form) = 0;
  };

  FormMaker();
  ~FormMaker();
  /// From now on; null: make() is always false.
  void use(std::shared_ptr<net::WorkerLane> lane) { lane_ = std::move(lane); }
  /// The waiter is told once, not from inside. False: the worker is busy, and he is not told.
  bool make(std::shared_ptr<const EncodedAnswer> answer, std::size_t n, http::Coding coding,
            Waiter& waiter);
  void forget(const Waiter& waiter);

 private:
  struct Work;
  void on_made(Work& work);

  std::shared_ptr<net::WorkerLane> lane_;
  std::list<std::unique_ptr<Work>> works_;
};

}  // namespace gatescope::api

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/client_limit.h"
#include "api/form_maker.h"
#include "api/waiting.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

class Asking;
class AskingOwner {
 public:
  virtual ~AskingOwner() = default;
  /// He no longer waits for a flight.
  virtual void forget(Asking& asking) = 0;
  /// Something that was good once; null: nothing.
  virtual std::shared_ptr<const EncodedAnswer> last_known(const AnswerKey& key) = 0;
};

/// A client who waits, with his deadline. Owned by him.
///   (made) -> Flying -> Forming -> Told; Forming may come first; at the deadline -> Told
class Asking final : public Sequences::Request,
                     public Waiting,
                     private FormMaker::Waiter,
                     private net::TimerEvents {
 public:
  /// All that is handed in outlives it. `client`: empty: not counted.
  Asking(net::Loop& loop, ClientLimit& clients, FormMaker& forms, AskingOwner& owner,
         const Question& question, std::string client, AnswerWaiter& waiter);
  ~Asking() override;

  /// Takes one of his client's places; false: there is none.
  bool enter();
  void tell_within(Duration after) { timer_->start(after); }
  // Not from inside.
  void tell_soon(Answer answer);
  void give_soon(const std::shared_ptr<const EncodedAnswer>& answer, Duration within);

  // Waiting
  const AnswerKey& key() const override { return question_.key; }
  bool content_with(const EncodedAnswer& answer) const override {
    return answer.answers(question_);
  }
  void on_encoded(const std::shared_ptr<const EncodedAnswer>& answer,
                  const std::shared_ptr<const Sequence>& sequence) override;
  void on_reason(const Answer& reason) override { tell(reason); }

 private:
  void on_form(const std::shared_ptr<const AnswerForm>& form) override { tell(form); }
  void on_timer(net::Timer& timer) override;
  void tell(const Answer& answer);
  void leave();

  // Constant after construction
  ClientLimit& clients_;
  FormMaker& forms_;
  AskingOwner& owner_;
  const Question question_;
  const std::string client_;
  AnswerWaiter& waiter_;
  const std::unique_ptr<net::Timer> timer_;

  bool entered_ = false;        // has one of his client's places
  std::optional<Answer> soon_;  // what the timer is for, if not the deadline
};

}  // namespace gatescope::api

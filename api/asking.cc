#include "api/asking.h"

#include <utility>

namespace gatescope::api {

Asking::Asking(net::Loop& loop, ClientLimit& clients, FormMaker& forms, AskingOwner& owner,
               const Question& question, std::string client, AnswerWaiter& waiter)
    : clients_(clients),
      forms_(forms),
      owner_(owner),
      question_(question),
      client_(std::move(client)),
      waiter_(waiter),
      timer_(loop.make_timer(*this)) {}

Asking::~Asking() {
  leave();
  forms_.forget(*this);
  owner_.forget(*this);
}

bool Asking::enter() {
  if (client_.empty() || question_.key.topic == Topic::Search) return true;
  entered_ = clients_.enter(client_, question_.key.id);
  return entered_;
}

void Asking::tell_soon(Answer answer) {
  soon_ = std::move(answer);
  timer_->start(Duration(0));
}

void Asking::give_soon(const std::shared_ptr<const EncodedAnswer>& answer, Duration within) {
  const std::size_t n = question_.count.of(answer->entries());
  if (auto form = answer->find_form(n, question_.coding)) return tell_soon(std::move(form));
  if (forms_.make(answer, n, question_.coding, *this)) return tell_within(within);
  tell_soon(answer->find_form(n, http::Coding::Identity));
}

void Asking::on_encoded(const std::shared_ptr<const EncodedAnswer>& answer,
                        const std::shared_ptr<const Sequence>&) {
  leave();  // the client waits for nothing but a worker
  const std::size_t n = question_.count.of(answer->entries());
  if (auto form = answer->find_form(n, question_.coding)) return tell(form);
  if (forms_.make(answer, n, question_.coding, *this)) return;
  tell(answer->find_form(n, http::Coding::Identity));
}

void Asking::on_timer(net::Timer&) {
  owner_.forget(*this);
  forms_.forget(*this);
  if (soon_) {
    const Answer answer = *std::move(soon_);  // telling may destroy this
    return tell(answer);
  }
  const auto known = owner_.last_known(question_.key);
  if (known && content_with(*known))
    return tell(known->find_form(question_.count.of(known->entries()), http::Coding::Identity));
  tell(Unavailable{"no answer within the deadline"});
}

void Asking::tell(const Answer& answer) {
  timer_->stop();
  leave();
  waiter_.on_answer(answer);  // may destroy this
}

void Asking::leave() {
  if (std::exchange(entered_, false)) clients_.leave(client_, question_.key.id);
}

}  // namespace gatescope::api

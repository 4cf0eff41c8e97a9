#include "api/form_maker.h"

#include <algorithm>
#include <utility>

namespace gatescope::api {

struct FormMaker::Work {
  std::shared_ptr<const EncodedAnswer> answer;
  std::size_t n;
  http::Coding coding;
  std::vector<Waiter*> waiters;
  std::unique_ptr<net::WorkerLane::Ticket> ticket;
  std::shared_ptr<std::shared_ptr<const AnswerForm>> made;  // shared with the worker
};

FormMaker::FormMaker() = default;
FormMaker::~FormMaker() = default;

bool FormMaker::make(std::shared_ptr<const EncodedAnswer> answer, std::size_t n,
                     http::Coding coding, Waiter& waiter) {
  for (const auto& work : works_) {
    if (work->answer != answer || work->n != n || work->coding != coding) continue;
    work->waiters.push_back(&waiter);
    return true;
  }
  if (!lane_) return false;
  auto work = std::make_unique<Work>(Work{.answer = std::move(answer), .n = n, .coding = coding});
  work->waiters = {&waiter};
  work->made = std::make_shared<std::shared_ptr<const AnswerForm>>();
  auto ticket = lane_->submit([answer = work->answer, n, coding, made = work->made](
                                  unsigned) { *made = answer->make_form(n, coding); },
                              [this, raw = work.get()] { on_made(*raw); });
  if (!ticket) return false;
  work->ticket = std::move(*ticket);
  works_.push_back(std::move(work));
  return true;
}

void FormMaker::on_made(Work& work) {
  // Each of them may destroy others, who are forgotten then.
  while (!work.waiters.empty()) {
    Waiter* const first = work.waiters.front();
    work.waiters.erase(work.waiters.begin());
    first->on_form(*work.made);
  }
  works_.remove_if([&work](const auto& known) { return known.get() == &work; });
}

void FormMaker::forget(const Waiter& waiter) {
  for (const auto& work : works_)
    std::erase(work->waiters, &waiter);
}

}  // namespace gatescope::api

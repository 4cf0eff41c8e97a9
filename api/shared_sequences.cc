#include "api/shared_sequences.h"

#include <utility>

namespace gatescope::api {

/// Where the answer goes; the asking loop's alone, though both hold it.
struct SharedSequences::Mailbox {
  AnswerWaiter* waiter = nullptr;  // null: he has gone
};

/// One who waits on another loop. Owned by him.
class SharedSequences::Asked final : public Sequences::Request {
 public:
  Asked(SharedSequences& shared, std::uint64_t number, std::shared_ptr<Mailbox> mailbox)
      : shared_(shared), number_(number), mailbox_(std::move(mailbox)) {}
  ~Asked() override {
    if (!std::exchange(mailbox_->waiter, nullptr)) return;  // told
    shared_.home_.post([&shared = shared_, number = number_] { shared.end(number); });
  }

 private:
  SharedSequences& shared_;
  const std::uint64_t number_;
  const std::shared_ptr<Mailbox> mailbox_;
};

/// The service as another loop sees it.
class SharedSequences::Remote final : public Sequences {
 public:
  Remote(SharedSequences& shared, net::Loop& loop) : shared_(shared), loop_(loop) {}
  const net::Loop& loop() const { return loop_; }
  std::optional<Answer> find(const Question& question) override {
    return shared_.service_.find_at(question, loop_.clock().now());
  }
  std::unique_ptr<Request> ask(const Question& question, const std::string& client,
                               AnswerWaiter& waiter) override {
    const std::uint64_t number = shared_.next_number_.fetch_add(1);
    auto mailbox = std::make_shared<Mailbox>(Mailbox{&waiter});
    shared_.home_.post([&shared = shared_, &loop = loop_, number, question, client, mailbox] {
      shared.begin(number, question, client, loop, mailbox);
    });
    return std::make_unique<Asked>(shared_, number, std::move(mailbox));
  }

 private:
  SharedSequences& shared_;
  net::Loop& loop_;
};

/// The one who waits in his place, on loop 0.
class SharedSequences::Proxy final : public AnswerWaiter {
 public:
  Proxy(SharedSequences& shared, std::uint64_t number, net::Loop& asker,
        std::shared_ptr<Mailbox> mailbox)
      : shared_(shared), number_(number), asker_(asker), mailbox_(std::move(mailbox)) {}
  void ask(const Question& question, const std::string& client) {
    asked_ = shared_.service_.ask(question, client, *this);
  }

 private:
  void on_answer(const Answer& answer) override {
    asker_.post([mailbox = std::move(mailbox_), answer] {
      if (auto* waiter = std::exchange(mailbox->waiter, nullptr)) waiter->on_answer(answer);
    });
    shared_.end(number_);
  }

  SharedSequences& shared_;
  const std::uint64_t number_;
  net::Loop& asker_;
  std::shared_ptr<Mailbox> mailbox_;
  std::unique_ptr<Sequences::Request> asked_;
};

SharedSequences::SharedSequences(net::Loop& home, SequenceService& service)
    : home_(home), service_(service) {}

SharedSequences::~SharedSequences() = default;

Sequences& SharedSequences::on(net::Loop& loop) {
  if (&loop == &home_) return service_;
  const std::lock_guard lock(mutex_);
  for (const auto& remote : remotes_)
    if (&remote->loop() == &loop) return *remote;
  return *remotes_.emplace_back(std::make_unique<Remote>(*this, loop));
}

void SharedSequences::begin(std::uint64_t number, const Question& question,
                            const std::string& client, net::Loop& asker,
                            std::shared_ptr<Mailbox> mailbox) {
  auto& proxy = questions_[number];
  proxy = std::make_unique<Proxy>(*this, number, asker, std::move(mailbox));
  proxy->ask(question, client);
}

/// Its answer is on its way, or nobody waits for it any more.
void SharedSequences::end(std::uint64_t number) {
  const auto found = questions_.find(number);
  if (found == questions_.end()) return;
  home_.discard(std::move(found->second));  // it may be below us on the stack
  questions_.erase(found);
}

}  // namespace gatescope::api

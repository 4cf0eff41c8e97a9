#include "proxy/ops/control_server.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/base/bytes.h"
#include "proxy/base/text.h"

namespace gatescope::ops {

/// One question. Asking -> Answering (the handler) -> Sending -> (removed)
class ControlServer::Client final : private net::StreamEvents, private net::TimerEvents {
 public:
  Client(ControlServer& server, std::uint64_t number, std::unique_ptr<net::Stream> stream)
      : server_(server),
        number_(number),
        stream_(std::move(stream)),
        deadline_(server.loop_.make_timer(*this)) {
    stream_->set_events(this);
    stream_->start_reading();
    deadline_->start(server_.limits_.asking);
  }
  ~Client() override { stream_->set_events(nullptr); }

  void send(std::string_view verdict, std::string_view text) {
    if (state_ == State::Sending) return;
    state_ = State::Sending;
    deadline_->start(server_.limits_.sending);
    ByteQueue bytes;
    bytes.append_copy(verdict);
    bytes.append_copy("\n");
    bytes.append(SharedBytes::copy_of(text));
    (void)stream_->write(bytes);
    if (stream_->unsent() == 0) {
      finish();
    } else {
      stream_->notify_sent();
    }
  }

 private:
  enum class State { Asking, Answering, Sending };

  void finish() {
    stream_->shut_down();
    if (ended_) deadline_->start(Duration(0));  // nothing more is to come
  }

  void on_data(std::span<const std::byte> data) override {
    if (state_ != State::Asking) return;
    question_ += as_text(data);
    const auto end = question_.find('\n');
    if (end == std::string::npos) {
      if (question_.size() > server_.limits_.question)
        send("failed", fmt::format("a question has at most {} bytes\n", server_.limits_.question));
      return;
    }
    question_.resize(end);
    if (end > server_.limits_.question)
      return send("failed",
                  fmt::format("a question has at most {} bytes\n", server_.limits_.question));
    state_ = State::Answering;
    deadline_->start(server_.limits_.answering);
    std::vector<std::string> words;
    for (const auto word : split(question_, ' '))
      if (!word.empty()) words.emplace_back(word);
    server_.handler_.on_question(number_, words);
  }
  // Who has asked may have no more to say, and waits. Who has the answer closes.
  void on_end() override {
    ended_ = true;
    if (state_ != State::Answering) server_.remove(number_);
  }
  void on_drained() override {
    if (state_ == State::Sending && stream_->unsent() == 0) finish();
  }
  void on_failed(const Error&) override { server_.remove(number_); }
  void on_timer(net::Timer&) override {
    if (state_ == State::Sending) return server_.remove(number_);
    send("failed", state_ == State::Asking ? "no question came\n"
                                           : "there was no answer within ten minutes\n");
  }

  ControlServer& server_;
  const std::uint64_t number_;
  const std::unique_ptr<net::Stream> stream_;
  const std::unique_ptr<net::Timer> deadline_;
  State state_ = State::Asking;
  bool ended_ = false;  // the client sends no more
  std::string question_;
};

ControlServer::ControlServer(net::Loop& loop, ControlHandler& handler, Log& log,
                             ControlLimits limits)
    : loop_(loop), handler_(handler), log_(log), limits_(limits) {}

ControlServer::~ControlServer() = default;

void ControlServer::listen(net::BoundSocket socket) {
  loop_.discard(std::move(listener_));
  listener_ = loop_.listen_on(std::move(socket), static_cast<net::AcceptEvents&>(*this));
}

void ControlServer::stop_accepting() {
  if (listener_) listener_->stop_accepting();
}

void ControlServer::resume_accepting() {
  if (listener_) listener_->resume_accepting();
}

void ControlServer::stop_listening() {
  loop_.discard(std::move(listener_));
}

void ControlServer::on_accepted(std::unique_ptr<net::Stream> stream) {
  if (clients_.size() >= limits_.clients) {
    log_.print(LogLevel::Warn, "control: {} clients are connected, another one is refused",
               clients_.size());
    return loop_.discard(std::move(stream));
  }
  const auto number = next_client_++;
  clients_.emplace(number, std::make_unique<Client>(*this, number, std::move(stream)));
}

void ControlServer::answer(std::uint64_t client, std::string_view verdict, std::string_view text) {
  const auto at = clients_.find(client);
  if (at != clients_.end()) at->second->send(verdict, text);
}

void ControlServer::remove(std::uint64_t client) {
  const auto at = clients_.find(client);
  if (at == clients_.end()) return;
  loop_.discard(std::move(at->second));
  clients_.erase(at);
}

}  // namespace gatescope::ops

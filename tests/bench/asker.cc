#include "tests/bench/asker.h"

#include <strings.h>

#include <cstdlib>

namespace gatescope::bench {

namespace {

/// The value of a field in a head, or "".
std::string field(const std::string& head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string::npos;
       at = head.find("\r\n", at + 2)) {
    const char* line = head.c_str() + at + 2;
    if (::strncasecmp(line, name.data(), name.size()) != 0 || line[name.size()] != ':') continue;
    const std::size_t from = at + 2 + name.size() + 1;
    std::string value = head.substr(from, head.find("\r\n", from) - from);
    value.erase(0, value.find_first_not_of(' '));
    return value;
  }
  return {};
}

}  // namespace

Asker::Asker(Reactor& reactor, SSL_CTX* tls, Plan plan, Seen& seen)
    : Wire(reactor, tls), plan_(std::move(plan)), seen_(seen) {}

void Asker::tick() {
  if (renew_) {
    renew_ = false;
    close();
  }
  if (state_ == Doing::Nothing && next_path_ >= plan_.paths.size() && !plan_.paths.empty())
    finish();
  if (state_ == Doing::Nothing && !finishing_ && now() >= next_at_) next();
}

void Asker::next() {
  if (open()) return ask();
  state_ = Doing::Connecting;
  connect(plan_.port);
}

void Asker::on_open() {
  ask();
}

void Asker::ask() {
  state_ = Doing::Waiting;
  head_.clear();
  in_body_ = false;
  asked_ = now();
  const auto& accept = plan_.accept_encoding;
  const auto& path = plan_.paths.empty() ? plan_.path : plan_.paths[next_path_++];
  const auto* body = plan_.body;
  send((body ? "POST " : "GET ") + path + " HTTP/1.1\r\nHost: bench.test\r\n" +
       (body ? "Content-Length: " + std::to_string(body->size()) + "\r\n" : "") +
       (accept.empty() ? "" : "Accept-Encoding: " + accept + "\r\n") +
       (plan_.keep ? "\r\n" : "Connection: close\r\n\r\n"));
  if (body) send(*body);
}

void Asker::on_data(std::string_view data) {
  if (state_ != Doing::Waiting) return;
  if (!in_body_) {
    head_ += data;
    const std::size_t end = head_.find("\r\n\r\n");
    if (end == std::string::npos) return;
    status_ = std::atoi(head_.c_str() + 9);
    body_left_ = static_cast<std::size_t>(std::atoll(field(head_, "Content-Length").c_str()));
    closes_ = field(head_, "Connection") == "close";
    in_body_ = true;
    const std::size_t came = head_.size() - end - 4;
    body_left_ -= std::min(body_left_, came);
  } else {
    body_left_ -= std::min(body_left_, data.size());
  }
  if (body_left_ == 0) answered();
}

void Asker::answered() {
  const Time at = now();
  const bool as_asked = !plan_.resume || !may_resume() || resumed();
  if (status_ == 200 && as_asked) {
    ++seen_.ok;
    seen_.last_ok = at;
    seen_.latencies.push_back(static_cast<float>(ms_between(asked_, at)));
  } else {
    ++seen_.wrong;
  }
  state_ = Doing::Nothing;
  next_at_ = at + plan_.pause;
  if (plan_.resume) resume(session());
  if (!plan_.keep || closes_) {
    renew_ = true;
  } else if (plan_.pause.count() == 0 && !finishing_) {
    ask();
  }
}

void Asker::on_closed(bool refused) {
  if (state_ == Doing::Connecting || (state_ == Doing::Nothing && refused)) {
    ++seen_.refused;
  } else if (state_ == Doing::Waiting) {
    ++seen_.cut;
  }  // else an idle connection that the server ended
  state_ = Doing::Nothing;
  next_at_ = now() + std::chrono::milliseconds(1);
}

}  // namespace gatescope::bench

#include "tests/support/sim_exchange.h"

#include <algorithm>
#include <utility>

namespace gatescope::test {

namespace {

constexpr std::size_t kBig = 300'000;
constexpr std::size_t kBroken = 5000;  // announced by /cut, /reset, /short

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>('!' + (i * 31 + i / 90) % 90);
  return text;
}

SharedBytes site_body(std::string_view path) {
  // Built once: immutable.
  static const std::string big = pattern(kBig), middle = pattern(20'000), broken = pattern(kBroken);
  if (path == "/big") return SharedBytes::of_static(big);
  if (path == "/chunked" || path == "/trailers" || path == "/until-close")
    return SharedBytes::of_static(middle);
  if (sim_breaks(path)) return SharedBytes::of_static(broken);
  if (path == "/empty") return {};
  return SharedBytes::of_static("small body\n");
}

}  // namespace

std::string sim_body(std::string_view path, std::string_view request_body) {
  if (path == "/echo" || path == "/late-echo") return std::string(request_body);
  return std::string(site_body(path).text());
}

int sim_status(std::string_view path) {
  return path == "/empty" ? 204 : path == "/refuse" ? 413 : 200;
}

bool sim_breaks(std::string_view path) {
  return path == "/cut" || path == "/cut-chunked" || path == "/cut-open" || path == "/reset" ||
         path == "/short";
}

SimExchange::SimExchange(SimLoop& loop, http::ExchangeLink& link, http::RequestHead head,
                         SimExchangeTally& tally)
    : loop_(loop),
      link_(link),
      head_(std::move(head)),
      tally_(tally),
      path_(head_.target),
      timer_(loop.make_timer(*this)) {
  ++tally_.made;
  ++tally_.paths[head_.refused != 0 ? std::to_string(head_.refused) : path_];
}

SimExchange::~SimExchange() {
  if (!over_) tally_.complaints.push_back(path_ + " destroyed without on_over");
  ++tally_.destroyed;
}

void SimExchange::check(std::string_view event) {
  std::string_view why;
  if (over_) why = "after on_over";
  if (!started_) why = "before start";
  if (ended_ && event != "on_over" && event != "on_client_gone") why = "after the end";
  if (gone_ && event != "on_over") why = "after the client has gone";
  if (!why.empty())
    tally_.complaints.push_back(path_ + ": " + std::string(event) + " " + std::string(why));
}

void SimExchange::start() {
  if (started_) tally_.complaints.push_back(path_ + " started twice");
  started_ = true;
  ++tally_.started;
  if (head_.refused != 0) {
    ++tally_.refused;
    send_head(head_.refused, 0);
    end();
    return;
  }
  if (is("/delayed")) {
    timer_->start(Duration(loop_.world().random().between(0, 300)));
  } else if (is("/slow")) {
    link_.abort_on_client_end(true);
    timer_->start(Duration(25'000));
  } else if (is("/late-echo")) {
    timer_->start(Duration(loop_.world().random().between(0, 100)));
  } else if (is("/echo")) {
    answer();
  } else {
    if (is("/interim")) {
      http::HeaderList early;
      early.add("Link", "</style.css>");
      link_.send_informational(103, early);
    }
    answer();
  }
}

void SimExchange::on_timer(net::Timer&) {
  check("on_timer");
  if (!ended_ && !over_) answer();
}

void SimExchange::answer() {
  if (is("/echo") || is("/late-echo")) {
    if (!head_.has_body) {
      send_head(200, 0);
      end();
      return;
    }
    want_body(true);
    return;
  }
  body_ = site_body(path_);
  body_limit_ = body_.size();
  if (sim_breaks(path_)) body_limit_ = loop_.world().random().between(0, kBroken - 1);
  if (is("/until-close") || is("/cut-open")) {
    http::ExchangePolicy policy;
    policy.chunked = false;
    link_.set_policy(policy);
  }
  const bool counted = !is("/chunked") && !is("/trailers") && !is("/until-close") &&
                       !is("/empty") && !is("/cut-chunked") && !is("/cut-open");
  send_head(sim_status(path_), counted ? std::optional<std::uint64_t>(body_.size()) : std::nullopt);
  if (sim_breaks(path_)) body_ = body_.slice(0, body_limit_);
  send_some();
}

void SimExchange::send_head(int status, std::optional<std::uint64_t> length) {
  http::ResponseHead head;
  head.status = status;
  head.content_type = "text/plain";
  head.content_length = length;
  if (const auto seq = head_.headers.find("X-Seq"))
    head.headers.add("X-Seq", link_.arena().copy(*seq));
  link_.send_head(head);
  head_sent_ = true;
}

void SimExchange::send_some() {
  const std::size_t piece = is("/big") ? 32'768 : 3000;
  while (!body_.empty()) {
    const std::size_t n = std::min(piece, body_.size());
    const SharedBytes part = body_.slice(0, n);
    body_.remove_prefix(n);
    if (link_.send_body(part) == Flow::Wait && !body_.empty()) return;
  }
  if (sim_breaks(path_) && !is("/short")) {
    ended_ = true;
    link_.cut(is("/reset"));
    return;
  }
  http::HeaderList trailers;
  if (is("/trailers")) trailers.add("X-Sum", "42");
  end(trailers);
}

void SimExchange::end(const http::HeaderList& trailers) {
  ended_ = true;
  link_.send_end(trailers);
}

void SimExchange::want_body(bool wanted) {
  wanted_ = wanted;
  link_.want_body(wanted);
}

void SimExchange::on_body(std::span<const std::byte> data) {
  check("on_body");
  if (!wanted_) tally_.complaints.push_back(path_ + ": body that is not wanted");
  if (body_done_) tally_.complaints.push_back(path_ + ": body behind its end");
  if (!head_sent_) send_head(200, head_.content_length);
  if (link_.send_body(SharedBytes::copy_of(as_text(data))) == Flow::Wait) want_body(false);
}

void SimExchange::on_body_end(const http::HeaderList&) {
  check("on_body_end");
  if (body_done_) tally_.complaints.push_back(path_ + ": two ends of a body");
  if (!wanted_) tally_.complaints.push_back(path_ + ": end of a body that is not wanted");
  body_done_ = true;
  if (!head_sent_) send_head(200, head_.content_length);
  end();
}

void SimExchange::on_body_failed(int status, const Error&) {
  check("on_body_failed");
  ++tally_.body_failed;
  if (head_sent_) {
    ended_ = true;
    link_.cut(false);
  } else {
    send_head(status, 0);
    end();
  }
}

void SimExchange::on_writable() {
  check("on_writable");
  if (is("/echo") || is("/late-echo")) {
    want_body(true);
  } else {
    send_some();
  }
}

void SimExchange::on_client_gone(const Error&) {
  check("on_client_gone");
  ended_ = gone_ = true;
  ++tally_.gone;
}

void SimExchange::on_over() {
  check("on_over");
  over_ = true;
  timer_->stop();
  ++tally_.over;
}

}  // namespace gatescope::test

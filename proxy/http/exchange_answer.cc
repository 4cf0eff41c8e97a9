// Exchange as a ResponseWriter: heads, bodies, error pages, internal redirects.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/http/error_status.h"
#include "proxy/http/exchange.h"

namespace gatescope::http {

namespace {

/// After these nginx trusts the connection no further.
bool ends_connection(int code) {
  return code == 400 || code == 413 || code == 414 || code == 500 || code == 501 ||
         (code >= 495 && code <= 497);
}

/// nginx's own codes (a head too large, certificates, plain HTTP to TLS): for error_page, the
/// client sees 400.
int shown_code(int code) {
  return code >= 494 && code <= 497 ? 400 : code;
}

std::string_view title_of(int code) {
  switch (code) {
    case 494:
      return "Request Header Or Cookie Too Large";
    case 495:
      return "The SSL certificate error";
    case 496:
      return "No required SSL certificate was sent";
    case 497:
      return "The plain HTTP request was sent to HTTPS port";
    default:
      return reason_of(code);
  }
}

}  // namespace

void Exchange::informational(int status, const HeaderList& headers) {
  if (state_ != State::Ended && !head_sent_) link_.send_informational(status, headers);
}

void Exchange::head(ResponseHead head, bool intercept) {
  if (state_ == State::Ended || head_sent_ || !pending_redirect_.empty()) return;
  if (intercept && head.status >= 300) {
    if (head.status == 401)
      for (const auto& field : head.headers)
        if (equals_ignoring_case(field.name, "WWW-Authenticate"))
          keep_field(field.name, field.value);
    if (try_error_page(head.status)) return;
    kept_fields_.clear();
  }
  send_head(std::move(head));
}

void Exchange::send_head(ResponseHead&& head) {
  response_ = std::move(head);
  if (overwrite_status_) {
    if (*overwrite_status_ != 0) response_.status = *overwrite_status_;
  } else if (error_status_ != 0) {
    response_.status = error_status_;
  }
  head_known_ = true;
  forget_age();
  for (const auto& field : kept_fields_)
    response_.headers.add(field.name, field.value);
  if (!kept_type_.empty() && response_.status < 300) response_.content_type = kept_type_;
  if (response_.location.empty() && response_.status >= 301 && response_.status <= 308)
    response_.location = kept_location_;
  for (const auto& filter : location_->filters) {
    filter->apply(*this, response_);
    if (replacement_ != 0) return answer_instead();
  }
  if (response_.expects_trailers && !response_.bodiless()) response_.content_length.reset();
  if (!response_.location.empty()) response_.location = absolute(response_.location);
  head_sent_ = true;
  link_.send_head(response_);
  if (const auto rate = response_.status >= 200 ? limit_rate() : 0) {
    const auto after = parse_size(core().limit_rate_after->evaluate(*this, arena()));
    BodyPacer::Events& us = *this;
    pacer_ = std::make_unique<BodyPacer>(loop(), rate, after.value_or(0), us);
  }
}

/// A file's age says nothing of an error that it explains, and caches would keep that as long as an
/// old file (RFC 9111 4.2.2); so does nginx.
void Exchange::forget_age() {
  const int status = response_.status;
  if (!response_.seekable || status == 200 || status == 206 || status == 304) return;
  response_.last_modified.reset();
}

void Exchange::answer_instead() {
  const int code = std::exchange(replacement_, 0);
  response_ = ResponseHead();
  head_known_ = false;
  filters_.clear();
  parts_ = {};
  status(code, {});
}

void Exchange::add_body_filter(std::unique_ptr<BodyFilter> filter) {
  filters_.add(std::move(filter));
}

bool Exchange::wants_body() {
  return state_ != State::Ended && head_sent_ && !request_.is_head() && !response_.bodiless();
}

Flow Exchange::write(SharedBytes body) {
  if (!wants_body() || finishing_ || body.empty()) return Flow::GoOn;
  if (filters_.empty()) return on_filtered(std::move(body));
  if (!flush_wanted_) {
    flush_wanted_ = true;
    loop().at_turn_end(*this);
  }
  return after_filters(filters_.pass(std::move(body)));
}

std::optional<std::size_t> Exchange::write_file(int file, std::uint64_t offset, std::size_t size) {
  if (!wants_body() || finishing_ || !filters_.empty() || pacer_) return std::nullopt;
  const auto sent = link_.send_file(file, offset, size);
  if (sent) count_sent(*sent);
  return sent;
}

void Exchange::end(const HeaderList& trailers) {
  if (state_ == State::Ended || finishing_ || !pending_redirect_.empty()) return;
  for (const auto& field : trailers)
    sent_trailers_.add(field.name, field.value);
  if (filters_.empty()) return finish_body();
  finishing_ = true;
  flush_wanted_ = false;
  drop_responder();
  if (after_filters(filters_.finish()) == Flow::GoOn && state_ != State::Ended) finish_body();
}

/// Every byte is with the link, or with the pacer.
void Exchange::finish_body() {
  if (pacer_ && !pacer_->empty()) {
    finishing_ = end_waits_ = true;
    return drop_responder();
  }
  for (const auto& filter : location_->filters)
    filter->add_trailers(*this, sent_trailers_);
  state_ = State::Ended;
  completed_ = true;
  drop_responder();
  link_.send_end(sent_trailers_);
}

Flow Exchange::on_filtered(SharedBytes bytes) {
  return pacer_ ? pacer_->add(std::move(bytes)) : on_paced(std::move(bytes));
}

void Exchange::on_all_paced() {
  if (state_ == State::Ended) return;
  end_waits_ ? finish_body() : on_writable();
}

void Exchange::count_sent(std::size_t bytes) {
  body_sent_ += bytes;
  if (!context_.stats) return;
  counted_sent_ += bytes;
  context_.stats->count_sent(bytes);
}

Flow Exchange::on_paced(SharedBytes bytes) {
  if (state_ == State::Ended) return Flow::GoOn;
  count_sent(bytes.size());
  return link_.send_body(std::move(bytes));
}

Flow Exchange::after_filters(const Result<Flow>& flow) {
  if (flow) return *flow;
  cut_off(flow.error());
  return Flow::GoOn;
}

/// The client takes more: first what the filters hold back, then what the handler has.
void Exchange::on_writable() {
  if (state_ == State::Ended) return;
  if (pacer_ && pacer_->holds()) return pacer_->go_on();
  if (finishing_) {
    if (after_filters(filters_.finish()) == Flow::GoOn && state_ != State::Ended) finish_body();
    return;
  }
  if (!filters_.empty() && after_filters(filters_.advance()) == Flow::Wait) return;
  if (responder_) responder_->on_writable();
}

/// The head has gone: the client must see that the answer is not whole.
void Exchange::cut_off(const Error& error) {
  log(LogLevel::Error, error.detail);
  state_ = State::Ended;
  drop_responder();
  link_.cut(false);
}

void Exchange::answer(ResponseHead response, SharedBytes body) {
  if (state_ == State::Ended || head_sent_ || !pending_redirect_.empty()) return;
  if (!response.content_length && !response.bodiless()) response.content_length = body.size();
  head(std::move(response), false);
  if (!head_sent_) return;
  if (parts_.empty() || !response_.seekable) {
    write(std::move(body));
  } else {
    for (const auto& part : parts_)
      write(
          body.slice(static_cast<std::size_t>(part.first), static_cast<std::size_t>(part.length)));
  }
  end({});
}

void Exchange::redirect(std::string_view uri) {
  if (state_ == State::Ended || head_sent_ || uri.empty()) return;
  pending_redirect_ = uri;
  pending_question_ = uri.find('?');
  drop_responder();
  if (!on_stack_) loop().at_turn_end(*this);
}

void Exchange::redirect(std::string_view path, std::optional<std::string_view> args) {
  redirect(args ? arena().join({path, "?", *args}) : path);
  pending_question_ = args ? path.size() : std::string::npos;
}

/// Null: there is none, or it may not be used any more.
const ErrorPage* Exchange::find_error_page(int code) const {
  const auto& core = *location_->core;
  if (error_status_ != 0 && !core.recursive_error_pages.get()) return nullptr;
  if (redirects_ > kMaxRedirects) return nullptr;  // the page itself would be the next turn
  for (const auto& page : core.error_pages.get())
    for (const int listed : page.statuses)
      if (listed == code) return &page;
  return nullptr;
}

bool Exchange::try_error_page(int code) {
  const auto* const page = find_error_page(code);
  if (page == nullptr) return false;
  const auto target = page->target.evaluate(*this, arena());
  error_status_ = code;
  overwrite_status_ = page->overwrite;
  if (!target.empty() && (target.front() == '/' || target.front() == '@')) {
    if (target.front() == '/') ask_for_page();
    redirect(target);
    return true;
  }
  // Another site: 302 unless `=code` names a redirect
  ResponseHead away;
  const int wanted = page->overwrite.value_or(302);
  away.status = wanted >= 301 && wanted <= 308 ? wanted : 302;
  error_status_ = away.status;
  overwrite_status_.reset();
  send_default_page(away.status, target);
  return true;
}

void Exchange::status(int code, std::string_view location) {
  if (state_ == State::Ended || !pending_redirect_.empty()) return;
  if (head_sent_) {  // too late for another answer: the client must see that this one is not whole
    state_ = State::Ended;
    drop_responder();
    return link_.cut(false);
  }
  drop_responder();
  if (code == 444) {  // nginx: close without an answer
    state_ = State::Ended;
    unsent_status_ = 444;
    return link_.cut(location_->core->reset_timedout_connection.get());
  }
  if (ends_connection(code)) link_.last_response();
  if (code >= 300 && code != 304 && try_error_page(code)) {
    kept_location_ = location;
    return;
  }
  send_default_page(code, location);
}

void Exchange::send_default_page(int asked, std::string_view location) {
  const int code = shown_code(asked);
  if (error_status_ !=
      0) {  // an error page that is an answer of ours: this one's status is shown, as in nginx
    error_status_ = code;
    overwrite_status_.reset();
  }
  ResponseHead head;
  head.status = code;
  head.location = location;
  if (head.bodiless()) {
    if (code == 204) head.content_length.reset();
    send_head(std::move(head));
    return end({});
  }
  const auto reason = title_of(asked);
  auto body = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta "
      "charset=\"utf-8\"><title>{0}{1}{2}</title></head>\n"
      "<body><h1>{0}{1}{2}</h1><hr><p>gatescope</p></body>\n</html>\n",
      code, reason.empty() ? "" : " ", reason);
  head.content_type = "text/html";
  head.content_length = body.size();
  if (code == 405 && !request_.head.refused) head.headers.add("Allow", "GET, HEAD");
  send_head(std::move(head));
  write(SharedBytes(std::move(body)));
  end({});
}

void Exchange::fail(const Error& error) {
  if (state_ == State::Ended || !pending_redirect_.empty()) return;
  const int code = status_of(error);
  log(error.origin == Origin::Client ? LogLevel::Info : LogLevel::Error, error.detail);
  if (code == 499 && !head_sent_) {
    unsent_status_ = 499;
    state_ = State::Ended;
    drop_responder();
    return link_.cut(false);
  }
  status(code, {});
}

void Exchange::drop_responder() {
  if (wait_) loop().discard(std::move(wait_));
  if (responder_) loop().discard(std::move(responder_));
}

std::unique_ptr<ByteTunnel> Exchange::upgrade() {
  return link_.take_tunnel();
}

bool Exchange::logs(LogLevel level) const {
  if (location_->error_logs.empty()) return context_.log.enabled(level);
  return std::any_of(location_->error_logs.begin(), location_->error_logs.end(),
                     [&](const auto& target) { return target->enabled(level); });
}

void Exchange::log(LogLevel level, std::string_view message) {
  const auto write = [&](Log& target) {
    if (!target.enabled(level)) return;
    auto line = fmt::format("*{} {}, client: {}, server: {}", connection().number, message,
                            connection().client_address, server_->name);
    if (const auto asked = request_line(); !asked.empty())
      line += fmt::format(", request: \"{}\"", asked);
    if (const auto host = request_.head.headers.find("host"))
      line += fmt::format(", host: \"{}\"", *host);
    if (const auto referrer = request_.head.headers.find("referer"))
      line += fmt::format(", referrer: \"{}\"", *referrer);
    target.write(level, line);
  };
  if (location_->error_logs.empty()) return write(context_.log);
  for (const auto& target : location_->error_logs)
    write(*target);
}

}  // namespace gatescope::http

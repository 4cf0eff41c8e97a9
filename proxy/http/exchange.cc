#include "proxy/http/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/http/access_log.h"
#include "proxy/http/error_status.h"
#include "proxy/http/target.h"
#include "proxy/http/tls_rules.h"

namespace gatescope::http {

Exchange::Exchange(const ExchangeContext& context, const ListenAddress& address,
                   const ConnectionInfo& connection, ExchangeLink& link, RequestHead head,
                   const VirtualServer* tls_server)
    : context_(context),
      address_(address),
      link_(link),
      started_(head.began == MonoTime{} ? context.loop.clock().now() : head.began),
      number_(connection.requests),
      tls_server_(tls_server),
      server_(tls_server ? tls_server : &address.names.default_server()),
      location_(&server_->root) {
  request_.head = std::move(head);
  request_.connection = peer_ = &connection;
  request_.original_uri = request_.head.target;
  if (context_.stats) context_.stats->begin_request(request_.head.version);
}

Exchange::~Exchange() = default;

// ---- From the session

void Exchange::start() {
  enter_location(server_->root);
  if (request_.head.refused) {
    log(LogLevel::Info, request_.head.refused_because);
    return status(request_.head.refused, {});
  }
  if (!prepare()) return;
  run_phases();
}

/// Settles host, server and path. False: answered already.
bool Exchange::prepare() {
  auto& arena = link_.arena();
  auto target = normalise_target(request_.head.target, location_->core->merge_slashes.get(), arena);
  if (!target) {
    log(LogLevel::Info, target.error().detail);
    status(400, {});
    return false;
  }
  const auto host_field = request_.head.headers.find("host");
  const auto authority = target->authority.empty() ? host_field : std::optional(target->authority);
  if (authority) {
    const auto host = parse_host(*authority, arena);
    if (!host || (host_field && !target->authority.empty() && !parse_host(*host_field, arena))) {
      log(LogLevel::Info, "client sent invalid host header");
      status(400, {});
      return false;
    }
    request_.host = host->name;
    request_.port = host->port;
    conf::Captures captures;
    const auto& found = address_.names.find(host->name, &captures);
    if (auto refusal = misdirected(address_, connection(), host->name, found))
      return refuse(*refusal);
    if (request_.head.version == Version::Http2 && !found.http2 && !address_.http2)
      return refuse({421, "client attempted to request the server name for which HTTP/2 is off"});
    server_ = &found;
    if (!captures.groups.empty()) {
      set_captures(std::move(captures), request_.host);
      for (const auto& [id, group] : server_->regex_names)
        set_value(id, captures_.group(captures_subject_, group));
    }
  }
  if (!authority && !tls_server_)
    server_ = &address_.names.find({});  // `server_name ""` answers requests without Host
  if (request_.host.empty()) request_.host = server_->name;
  request_.path = target->path;
  request_.args = target->args;
  request_.has_args = target->has_args;
  request_.original_uri = target->original;
  enter_location(server_->root);
  if (auto refusal = refused_by_tls(address_, connection(), *server_)) return refuse(*refusal);
  return true;
}

bool Exchange::refuse(const TlsRefusal& refusal) {
  log(LogLevel::Info, refusal.reason + " while reading client request headers");
  status(refusal.status, {});
  return false;
}

void Exchange::on_client_gone(const Error& error) {
  if (state_ != State::Ended) {
    log(LogLevel::Info, error.detail);
    if (!head_sent_) unsent_status_ = error.kind == ErrorKind::Timeout ? 408 : 499;
  }
  completed_ = false;
  drop_responder();
  state_ = State::Ended;
}

/// A try whose client has left lasted until now.
void Exchange::end_try(UpstreamTry& last) const {
  if (last.response_ms >= 0 || last.began == MonoTime{}) return;
  last.response_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                         context_.loop.clock().now() - last.began)
                         .count();
}

/// What this request was, once. Bytes of a body were counted as they passed: a download of an hour
/// is no peak at its end.
void Exchange::count_end() {
  auto& stats = *context_.stats;
  const auto rest = [](std::uint64_t all, std::uint64_t counted) {
    return all > counted ? all - counted : 0;
  };
  stats.count_sent(rest(link_.bytes_sent(), counted_sent_));
  stats.count_received(rest(link_.bytes_received(), counted_received_));
  const auto took = context_.loop.clock().now() - started_;
  const auto status = head_sent_ ? class_of(response_.status) : StatusClass::None;
  stats.end_request(request_.head.version, answered_by_, status,
                    static_cast<std::uint64_t>(
                        std::max<std::int64_t>(0, std::chrono::floor<Duration>(took).count())));
}

void Exchange::on_over() {
  if (over_) return;
  over_ = true;
  if (context_.stats) count_end();
  state_ = State::Ended;
  drop_responder();
  if (!upstream_tries_.empty()) end_try(upstream_tries_.back());
  for (const auto& target : location_->access_logs)
    target->write(*this);
  held_.clear();
}

// ---- Phases

void Exchange::enter_location(const Location& location) {
  location_ = &location;
  uri_in_alias_ = false;
  if (!keeps_no_connection()) {
    link_.set_policy(location.policy);
  } else {
    ExchangePolicy policy = location.policy;
    policy.keepalive_timeout = Duration::zero();
    link_.set_policy(policy);
  }
}

StepResult Exchange::run_steps(const std::vector<std::unique_ptr<RequestStep>>& steps) {
  for (; step_ < steps.size(); ++step_) {
    const auto result = steps[step_]->run(*this);
    if (result == StepResult::Next) continue;
    if (result == StepResult::Suspended) ++step_;  // resume() goes on behind it
    return result;
  }
  return StepResult::EndPhase;
}

void Exchange::run_phases() {
  on_stack_ = true;
  const auto next = [this](Phase phase) {
    phase_ = phase;
    step_ = 0;
  };
  while (state_ == State::Routing) {
    StepResult result = StepResult::EndPhase;
    Phase after = Phase::Find;
    switch (phase_) {
      case Phase::ServerRewrite:
        result = run_steps(server_->rewrite);
        if (result == StepResult::Restart)
          result = StepResult::EndPhase;  // the location is looked for anyway
        break;
      case Phase::Find: {
        captures_subject_ = captures_subject_.data() ? captures_subject_ : request_.path;
        conf::Captures captures;
        const auto found = find_location(server_->root, request_.path, captures);
        if (!captures.groups.empty()) {
          set_captures(std::move(captures), request_.path);
          for (const auto& [id, group] : found.location->regex_names)
            set_value(id, captures_.group(captures_subject_, group));
        }
        if (found.add_slash) {
          auto to = arena().join({percent_encode_path(request_.path), "/",
                                  request_.args.empty() ? "" : "?", request_.args});
          status(301, to);
          result = StepResult::Answered;
          break;
        }
        enter_location(found.location->for_method(request_.head.method));
        if (logs(LogLevel::Debug))
          log(LogLevel::Debug, fmt::format("using configuration \"{}\"", location_->pattern));
        if (location_->core->internal && !internal_) {
          status(404, {});
          result = StepResult::Answered;
        } else if (request_.head.content_length && !internal_ &&
                   body_too_large(*request_.head.content_length)) {
          status(413, {});
          result = StepResult::Answered;
        }
        after = Phase::Rewrite;
        break;
      }
      case Phase::Rewrite:
        result = run_steps(location_->rewrite);
        after = Phase::Access;
        break;
      case Phase::Access:
        result = run_steps(location_->access);
        after = Phase::Precontent;
        break;
      case Phase::Precontent:
        result = run_steps(location_->precontent);
        after = Phase::Content;
        break;
      case Phase::Content:
        start_handler();
        result = StepResult::Answered;
        break;
    }
    if (!pending_redirect_.empty()) {
      do_redirect();
      continue;
    }
    if (result == StepResult::Answered || result == StepResult::Suspended) break;
    if (result == StepResult::Restart) {
      if (++redirects_ > kMaxRedirects) {
        log(LogLevel::Error,
            fmt::format("rewrite or internal redirection cycle while processing \"{}\"",
                        request_.path));
        status(500, {});
        break;
      }
      after = Phase::Find;
    }
    next(after);
  }
  on_stack_ = false;
  update_body_wish();
}

void Exchange::wait(std::unique_ptr<StepState> wait) {
  if (wait_) loop().discard(std::move(wait_));  // it may have called us
  wait_ = std::move(wait);
  link_.abort_on_client_end(true);
}

void Exchange::resume() {
  if (!wait_ || state_ != State::Routing) return;
  loop().discard(std::move(wait_));  // it may have called us
  link_.abort_on_client_end(false);
  run_phases();
}

void Exchange::answer_instead(int code) {
  if (wait_) {
    loop().discard(std::move(wait_));
    link_.abort_on_client_end(false);
  }
  status(code, {});
}

void Exchange::start_handler() {
  const auto* handler = location_->answering();
  if (!handler) return status(404, {});
  state_ = State::Responding;
  if (answered_by_ == HandlerKind::None) answered_by_ = location_->answering_kind;
  auto responder = handler->start(request_, *this);
  if (state_ == State::Responding) {
    responder_ = std::move(responder);
  } else if (responder) {
    loop().discard(std::move(responder));  // it ended, failed or redirected inside start()
  }
}

void Exchange::do_redirect() {
  std::string target;
  target.swap(pending_redirect_);
  if (++redirects_ > kMaxRedirects) {
    log(LogLevel::Error, fmt::format("rewrite or internal redirection cycle while {} \"{}\"",
                                     target.front() == '@' ? "redirect to named location"
                                                           : "internally redirecting to",
                                     target));
    state_ = State::Routing;
    return status(500, {});
  }
  internal_ = true;
  pauses_ |= static_cast<unsigned>(Pause::NotStarted);
  state_ = State::Routing;
  step_ = 0;
  if (target.front() == '@') {
    const auto named = server_->named.find(target);
    if (named == server_->named.end()) {
      log(LogLevel::Error, fmt::format("could not find named location \"{}\"", target));
      return status(500, {});
    }
    enter_location(named->second->for_method(request_.head.method));
    phase_ = Phase::Rewrite;
    return;
  }
  const auto question = pending_question_;
  const auto path = arena().copy(std::string_view(target).substr(0, question));
  auto resolved = resolve_dots(path, false, arena());
  if (!resolved) {
    log(LogLevel::Error, fmt::format("unsafe URI \"{}\" was detected", target));
    return status(404, {});
  }
  request_.path = *resolved;
  request_.has_args = question != std::string::npos;
  request_.args = request_.has_args ? arena().copy(std::string_view(target).substr(question + 1))
                                    : std::string_view();
  phase_ = Phase::ServerRewrite;  // as nginx: the server's own rewrite and set run again
}

/// Acts on what a Responder asked for in one of its callbacks, now that it is off the stack. Bytes
/// that filters keep to pack them better do not wait for a source that pauses (server-sent events).
void Exchange::on_turn_end() {
  if (over_) return;
  if (!pending_redirect_.empty()) {
    do_redirect();
    return run_phases();
  }
  if (std::exchange(flush_wanted_, false) && state_ != State::Ended && !finishing_)
    after_filters(filters_.flush());
}

}  // namespace gatescope::http

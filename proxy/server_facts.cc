// What Server tells of itself to whoever shows how it fares.

#include <unistd.h>

#include "proxy/build_info.h"
#include "proxy/server.h"

namespace gatescope::server {

namespace {

ops::ServerFacts::Certificate fact_of(const tls::ServedCertificate& one) {
  return {.names = one.info.shown(),
          .source = one.source,
          .key = one.info.key,
          .issuer = one.info.issuer,
          .problem = one.problem,
          .not_before = one.info.not_before,
          .not_after = one.info.not_after,
          .temporary = one.info.self_signed && one.source.starts_with('$')};
}

}  // namespace

ops::ServerFacts Server::facts() const {
  using State = ops::ServerFacts::State;
  ops::ServerFacts facts;
  facts.version = version();
  facts.commit = commit();
  facts.pid = ::getpid();
  facts.state = state_ == Server::State::Idle      ? State::Starting
                : state_ == Server::State::Running ? State::Serving
                                                   : State::Draining;
  facts.started = started_at_;
  facts.started_mono = started_;
  facts.configuration = options_.conf_path;
  facts.last_reload = last_reload_;
  facts.reloads = reloads_;
  facts.failed_reloads = failed_reloads_;
  if (generation_) {
    facts.generation = generation_->number;
    facts.loops = listening_.loops;
    facts.most_connections = generation_->main().worker_connections.get() * listening_.loops;
  }
  if (certificate_watch_) {
    const auto& health = certificate_watch_->health();
    facts.certificate_line = health.line();
    for (const auto& one : health.served)
      facts.certificates.push_back(fact_of(one));
  }
  for (auto& group : upstream_.groups(world_.loop.clock().now()))
    facts.upstreams.push_back(
        {std::move(group.name), group.fitness.servers, group.fitness.usable, group.fitness.active});
  return facts;
}

void Server::note_reload(const Error* error) {
  ++reloads_;
  if (error) ++failed_reloads_;
  last_reload_ = {.at = world_.loop.clock().wall(),
                  .good = error == nullptr,
                  .error = error ? error->detail : std::string()};
  report_.refresh();
}

}  // namespace gatescope::server

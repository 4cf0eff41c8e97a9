// The half of Server that answers commands: gatescope status, reload, cache clear and the like.

#include <fmt/format.h>

#include "proxy/launch_plan.h"
#include "proxy/ops/control_settings.h"
#include "proxy/remembered_files.h"
#include "proxy/server.h"

namespace gatescope::server {

namespace {

/// Only who serves, and root, may ask.
constexpr net::ListenOptions kControlOptions{.backlog = 16, .unix_mode = 0600};

/// Empty: off.
std::string control_path_of(const Generation& generation, const LaunchOptions& options) {
  const auto& main = *generation.configuration.main;
  const auto& settings = main.get<ops::ControlSettings>();
  if (settings.off.get()) return {};
  if (!settings.path.get().empty()) return settings.path.get();
  auto pid = generation.main().pid.get();
  if (!pid.starts_with('/')) pid = options.prefix + pid;
  return ops::default_control_path(pid);
}

}  // namespace

/// On a worker thread. A server without is of use, too: what is wrong is said, and nothing fails.
void Server::bind_control(Built& built, const Listening& now) {
  if (!world_.control) return;
  const auto path = control_path_of(*built.generation, options_);
  if (path.empty()) return;
  const auto endpoint = net::Endpoint::unix_path(path);
  if (!endpoint) {
    built.control_trouble = endpoint.error().detail;
    return;
  }
  for (const auto& address : built.generation->routing->addresses)
    if (address->endpoint == *endpoint) {
      built.control_trouble = fmt::format("\"listen unix:{}\" has its socket's name", path);
      return;
    }
  auto& name = built.sockets.listening.control;
  name = net::socket_name(*endpoint, kControlOptions, 0);
  if (name == now.control) return;
  auto fd = world_.sockets.listening_socket(*endpoint, kControlOptions);
  if (!fd) {
    built.control_trouble = fd.error().detail;
    name.clear();
    return;
  }
  built.control = net::BoundSocket{std::move(*fd), *endpoint, kControlOptions};
}

void Server::apply_control(Built& built) {
  if (!built.control_trouble.empty())
    generation_->error_log->print(LogLevel::Warn,
                                  "no command reaches this gatescope: {}; the directive "
                                  "\"control\" names another socket",
                                  built.control_trouble);
  if (built.sockets.listening.control.empty()) return control_.stop_listening();
  if (!built.control) return;
  control_.listen(std::move(*built.control));
  if (standing_by_) control_.stop_accepting();
}

void Server::on_question(std::uint64_t client, const std::vector<std::string>& words) {
  const std::string what = words.empty() ? std::string() : words.front();
  if (what == "status") {
    report_.refresh();
    return control_.answer(client, report_.healthy() ? "healthy" : "unhealthy", report_.json());
  }
  if (what == "reload") {
    if (state_ != State::Running)
      return control_.answer(client, "failed", "this gatescope is ending\n");
    log().write(LogLevel::Notice, "a reload was asked for by command");
    waiting_for_reload_.push_back(client);
    if (world_.service) world_.service->reloading();
    return reload();
  }
  if (what == "cache") return answer_cache_clear(client, words);
  if (what == "conf") {
    std::string text;
    for (const auto& file : generation_->configuration.document->files)
      if (file.path != "command line" || !file.text.empty())
        text += fmt::format("# configuration file {}:\n{}\n", file.path, file.text);
    return control_.answer(client, "ok", text);
  }
  if (what == "logs") return control_.answer(client, "ok", log_names());
  control_.answer(client, "failed",
                  fmt::format("unknown command \"{}\": this is gatescope {}\n", what,
                              report_.view().facts.version));
}

void Server::answer_cache_clear(std::uint64_t client, const std::vector<std::string>& words) {
  const std::string which = words.size() > 2 ? words[2] : "all";
  if (words.size() < 2 || words[1] != "clear" ||
      (which != "all" && which != "files" && which != "api"))
    return control_.answer(client, "failed", "cache clear [files|api]\n");
  std::string done;
  if (which != "api")
    done += fmt::format("{} files are not in memory any more\n", files_.cache().clear());
  if (which != "files")
    done += fmt::format("{} answers of the API are not in memory any more\n", api_.clear_cache());
  log().print(LogLevel::Notice, "cache cleared by command ({})", which);
  control_.answer(client, "ok", done);
}

/// "error_log /var/log/gatescope/error.log", a line each.
std::string Server::log_names() const {
  auto texts = std::make_shared<conf::Document>();
  texts->files = generation_->configuration.document->files;
  conf::SystemFileReader unused;
  RememberedFiles files(std::move(texts), unused);
  const auto plan = LaunchPlan::read(options_, files);
  std::string lines;
  if (!plan) return lines;
  for (const char* kind : {"error_log", "access_log", "api_log"})
    for (const auto& path : plan->logs_of(kind))
      lines += fmt::format("{} {}\n", kind, path);
  return lines;
}

void Server::answer_reloads(const Error* error) {
  for (const auto client : std::exchange(waiting_for_reload_, {})) {
    if (error) {
      control_.answer(client, "failed", error->detail + "\n");
    } else {
      control_.answer(client, "ok", fmt::format("configuration {} serves\n", generation_->number));
    }
  }
}

}  // namespace gatescope::server

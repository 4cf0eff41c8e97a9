#include "proxy/launch_plan.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "api/api_directives.h"
#include "certs/acme/acme_directives.h"
#include "certs/tls_directives.h"
#include "proxy/base/text.h"
#include "proxy/http/core_directives.h"
#include "proxy/http/listen_directive.h"
#include "proxy/ops/control_settings.h"

namespace gatescope::server {

namespace {

constexpr std::string_view kSecretDirectives[] = {
    "ssl_certificate",   "ssl_certificate_key",     "ssl_dhparam",
    "ssl_password_file", "ssl_client_certificate",  "ssl_trusted_certificate",
    "ssl_crl",           "ssl_session_ticket_key",  "auth_basic_user_file",
    "env_file",          "proxy_ssl_certificate",   "proxy_ssl_certificate_key",
    "proxy_ssl_crl",     "proxy_ssl_password_file", "proxy_ssl_trusted_certificate",
    "account_key"};

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

Result<LaunchPlan> LaunchPlan::read(const LaunchOptions& options, conf::FileReader& reader) {
  LaunchPlan plan;
  plan.options_ = options;
  plan.conf_folder_ = options.conf_path.substr(0, options.conf_path.rfind('/') + 1);
  plan.pid_path = options.prefix + "logs/gatescope.pid";
  plan.temp_folders = {{options.prefix + "client_body_temp", false},
                       {options.prefix + "proxy_temp", false}};
  conf::ParseOptions parse;
  parse.conf_prefix = plan.conf_folder_;
  parse.extra = options.extra;
  auto document = conf::parse_file(options.conf_path, parse, reader);
  if (!document) return document.error();
  plan.document_ = std::move(*document);
  plan.logs_ = {{options.prefix + "logs/access.log", {}, "default"},
                {options.prefix + "logs/error.log", {}, "default"}};
  if (!options.error_log.empty()) plan.logs_.push_back({options.error_log, {}, "default"});
  plan.walk(plan.document_->directives, {});
  if (plan.control_path.empty()) plan.control_path = ops::default_control_path(plan.pid_path);
  if (plan.control_path == "off") plan.control_path.clear();
  for (const auto& issuer : plan.issuers_)
    plan.temp_folders.push_back(
        {acme::default_state_path({plan.state_dir, options.prefix}, issuer), true});
  return plan;
}

void LaunchPlan::walk(const std::vector<conf::Directive>& directives, std::string_view block) {
  const bool top = block.empty();
  const conf::Schema none;
  const conf::Loader paths(none, options_.prefix, conf_folder_);
  for (const auto& d : directives) {
    if (d.count() > 0) {
      if (top && d.name == "user") {
        user = d.arg(0);
        user_place = conf::to_string(d.place);
        if (d.count() > 1) group = d.arg(1);
      }
      if (top && d.name == "daemon") daemon = d.arg(0) != "off";
      if (top && d.name == "pid") pid_path = paths.path(d.arg(0));
      const bool syslog = d.arg(0).starts_with("syslog:");
      if (top && d.name == "error_log" && error_log.empty() && !syslog)
        error_log = d.arg(0) == "stderr" ? std::string(d.arg(0)) : paths.path(d.arg(0));
      if (top && d.name == "state_dir") state_dir = paths.path(d.arg(0));
      if (top && d.name == "control")
        control_path = d.arg(0) == "off" ? std::string("off") : paths.path(d.arg(0));
      if (top && d.name == "worker_rlimit_nofile")
        open_files = parse_unsigned(d.arg(0)).value_or(0);
      if ((d.name == "access_log" || d.name == "error_log") && !syslog) {
        NamedLog log{paths.path(d.arg(0)), {}, d.name == "access_log" ? "access_log" : "error_log"};
        for (std::size_t i = 1; i < d.count(); ++i)
          (void)http::take_log_rotation(d.arg(i), log.settings);
        logs_.push_back(std::move(log));
      }
      if (d.name == "access_log" && block == "http") default_access_log_ = false;
      if (d.name == "api_log" && d.arg(0) != "off") {
        NamedLog log{paths.path(d.arg(0)), api::kApiLogRotation, "api_log"};
        for (std::size_t i = 1; i < d.count(); ++i)
          (void)api::take_api_log_rotation(d.arg(i), log.settings);
        logs_.push_back(std::move(log));
      }
      if (d.name == "external_account_key" && d.count() > 1)
        secrets_.push_back(paths.conf_path(d.arg(1)));
      if (d.name == "acme_issuer") add_issuer(d);
      if (d.name == "listen") listens_.push_back(&d);
      if (d.name == "client_body_temp_path" || d.name == "proxy_temp_path")
        temp_folders.push_back({paths.path(d.arg(0)), true});
      for (const auto& name : kSecretDirectives)
        if (d.name == name) secrets_.push_back(paths.conf_path(d.arg(0)));
      if ((d.name == "ssl_conf_command" || d.name == "proxy_ssl_conf_command") && d.count() > 1 &&
          tls::conf_command_value(d.arg(0)) == tls::ConfCommandValue::File)
        secrets_.push_back(paths.conf_path(d.arg(1)));
    }
    if (d.name == "server" && d.has_block &&
        std::none_of(d.block.begin(), d.block.end(),
                     [](const auto& inner) { return inner.name == "listen"; }))
      default_listen_ = true;
    if (d.has_block) walk(d.block, d.name);
  }
}

/// The folder that it says, or where resolve_certificates() will look for it. Every relative path
/// is the prefix's. state_dir is known when all is read.
void LaunchPlan::add_issuer(const conf::Directive& issuer) {
  const conf::Schema none;
  const conf::Loader paths(none, options_.prefix, conf_folder_);
  for (const auto& inner : issuer.block)
    if (inner.name == "state_path" && inner.count() > 0)
      return temp_folders.push_back({paths.path(inner.arg(0)), true});
  issuers_.emplace_back(issuer.arg(0));
}

std::string LaunchPlan::error_log_of(const LaunchOptions& options) const {
  if (!error_log.empty()) return error_log;
  return options.error_log.empty() ? options.prefix + "logs/error.log" : options.error_log;
}

std::vector<std::string> LaunchPlan::logs_of(std::string_view kind) const {
  std::vector<std::string> paths;
  for (const auto& log : logs_) {
    const auto name = log.path.substr(log.path.rfind('/') + 1);
    const bool is_file = name != "off" && name != "stderr" && !name.starts_with("syslog:") &&
                         log.path.find('$') == std::string::npos;
    if (log.kind == kind && is_file && !contains(paths, log.path)) paths.push_back(log.path);
  }
  // Where none is named, nginx's places count
  if (paths.empty() && kind == "access_log" && default_access_log_) paths.push_back(logs_[0].path);
  if (paths.empty() && kind == "error_log") paths.push_back(error_log_of(options_));
  return paths;
}

bool LaunchPlan::names_log(const std::string& path) const {
  return std::any_of(logs_.begin(), logs_.end(), [&](const auto& log) { return log.path == path; });
}

Result<unsigned> LaunchPlan::may_rotate(const std::string& path) const {
  const auto day = [](std::time_t seconds) {
    std::tm fields{};
    ::localtime_r(&seconds, &fields);
    return std::pair(fields.tm_year, fields.tm_yday);
  };
  for (const auto& log : logs_) {
    if (log.path != path) continue;
    struct stat now {
    }, newest_old{};
    if (::stat(path.c_str(), &now) != 0) return system_error(errno, "stat() \"" + path + "\"");
    // What the worker had in memory would have been too much: it is somewhat below
    if (log.settings.rotate_at != 0 &&
        static_cast<std::uint64_t>(now.st_size) >= log.settings.rotate_at / 2)
      return log.settings.keep;
    const bool today = ::stat((path + ".1").c_str(), &newest_old) == 0 &&
                       day(newest_old.st_ctime) == day(std::time(nullptr));
    if (log.settings.rotate_daily && !today) return log.settings.keep;
  }
  return make_error(ErrorKind::Forbidden, Origin::Internal,
                    "the configuration does not say that " + path + " is to be rotated now");
}
bool LaunchPlan::names_secret(const std::string& path) const {
  return contains(secrets_, path);
}

bool LaunchPlan::names_source(const std::string& path) const {
  return std::any_of(document_->files.begin(), document_->files.end(),
                     [&](const auto& file) { return file.path == path; });
}

bool LaunchPlan::names_listen(const net::Endpoint& endpoint) const {
  if (!control_path.empty() && endpoint.path() == control_path) return true;
  const conf::Schema none;
  conf::Loader loader(none, options_.prefix, conf_folder_);
  for (const auto* d : listens_) {
    const auto specs = http::listen_specs(loader, *d);
    if (!specs) continue;
    for (const auto& spec : *specs)
      if (spec.endpoint == endpoint) return true;
  }
  return default_listen_ && endpoint == *net::Endpoint::ip("0.0.0.0", 80);
}

}  // namespace gatescope::server

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "conf/syntax.h"
#include "proxy/base/log_file.h"
#include "proxy/launch_options.h"
#include "proxy/net/endpoint.h"

namespace gatescope::server {

/// What must be known of a configuration before anything is built: who to become, where the pid
/// file is, and which files and addresses it names. Read by the keeper, which trusts nothing else
/// of it; meaning is checked by the worker's full load.
class LaunchPlan {
 public:
  static Result<LaunchPlan> read(const LaunchOptions& options, conf::FileReader& reader);

  std::string user = "nobody", group;
  std::string user_place;  // of the `user` directive; empty: there is none
  bool daemon = true;
  std::string pid_path;   // absolute
  std::string error_log;  // absolute, or "stderr"; empty: none on the main level
  /// Where errors go that belong to no server.
  std::string error_log_of(const LaunchOptions& options) const;
  /// Where the running program is asked; empty: nowhere.
  std::string control_path;
  std::string state_dir;         // absolute; empty: the configuration names none
  std::uint64_t open_files = 0;  // worker_rlimit_nofile
  struct TempFolder {
    std::string path;  // absolute
    bool named;        // by the configuration; else a default, which may never be needed
  };
  /// client_body_temp_path, proxy_temp_path, state_path: all of them.
  std::vector<TempFolder> temp_folders;

  /// Every file of that kind, "error_log", "access_log" or "api_log", each once, the main level's
  /// first; what is no file is left out.
  std::vector<std::string> logs_of(std::string_view kind) const;
  /// Whether the configuration names this file as a log; as a key, certificate or the like; as a
  /// part of itself.
  bool names_log(const std::string& path) const;
  /// How many old files of this log are kept, when the configuration rotates it and it is time: a
  /// worker that was broken into must not push out the old ones by asking again and again.
  Result<unsigned> may_rotate(const std::string& path) const;
  bool names_secret(const std::string& path) const;
  bool names_source(const std::string& path) const;
  bool names_listen(const net::Endpoint& endpoint) const;
  /// The texts that it was read from.
  const std::shared_ptr<const conf::Document>& document() const { return document_; }

 private:
  void walk(const std::vector<conf::Directive>& directives, std::string_view block);
  void add_issuer(const conf::Directive& issuer);
  LaunchOptions options_;
  std::string conf_folder_;
  std::shared_ptr<const conf::Document> document_;  // shared only because a plan is copied
  struct NamedLog {
    std::string path;
    LogFileSettings settings;  // its rotation
    std::string_view kind;     // of the directive
  };
  std::vector<NamedLog> logs_;
  std::vector<std::string> secrets_;
  std::vector<const conf::Directive*> listens_;
  std::vector<std::string> issuers_;  // without a state_path of their own
  bool default_listen_ = false;       // a server without listen
  bool default_access_log_ = true;    // none is named for all of http
};

}  // namespace gatescope::server

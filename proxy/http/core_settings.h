#pragma once

// The settings of http's own directives at http, server and location level; defaults are nginx's
// unless said.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "conf/regex.h"
#include "conf/schema.h"
#include "conf/template.h"
#include "proxy/base/log_file.h"
#include "proxy/base/text_map.h"
#include "proxy/http/body_file.h"
#include "proxy/http/handler.h"
#include "proxy/http/open_log_files.h"
#include "proxy/http/session.h"

namespace gatescope::http {

using MimeTypes = TextMap<std::string>;  // extension in lower case -> type

struct ErrorPage {
  std::vector<int> statuses;
  std::optional<int> overwrite;  // =200; 0: `=`, take the status of what answers
  conf::Template target;         // "/50x.html", "@named", "https://..."
};

struct AccessLogTarget {
  std::string path;                       // absolute, or "stderr"; of syslog: empty
  std::string syslog;                     // what stands behind "syslog:"
  std::optional<conf::Template> by_name;  // the path, when it holds variables
  std::string format = "combined";
  std::shared_ptr<const conf::Template> condition;  // if=
  SharedLogSettings settings;                       // of the file; null: each line at once
  conf::Place place;                                // line 0: nobody wrote it
};

/// Makes the handler of a location; a module owns it (numberscope_api, proxy_pass set it while the
/// configuration loads).
class HandlerMaker {
 public:
  virtual ~HandlerMaker() = default;
  /// On a worker thread, after everything is read and inherited.
  virtual Result<std::unique_ptr<Handler>> make(const conf::Scope& location) = 0;
};

struct ErrorLogTarget {
  std::string path;    // absolute, or "stderr"; of syslog: empty
  std::string syslog;  // what stands behind "syslog:"
  LogLevel level = LogLevel::Error;
  SharedLogSettings settings;  // rotation; null: none
  conf::Place place;           // line 0: nobody wrote it
};

/// client_body_temp_path: a folder, and how many digits of a file's number name each folder below.
struct TempPath {
  std::string folder;
  std::vector<unsigned> levels;
};

struct CoreSettings final : conf::Settings {
  // What is answered with
  conf::Inherited<conf::Template>
      root;  // absolute, or with variables; default "html" below the prefix
  /// Set: `root` holds what `alias` said, and replaces so many bytes of the path (all of it below a
  /// regex location). Goes with `root` when that is inherited.
  std::optional<std::size_t> alias_prefix;
  static constexpr std::size_t kWholePath = static_cast<std::size_t>(-1);
  conf::Inherited<std::string> default_type{"text/plain"};
  conf::Inherited<std::shared_ptr<const MimeTypes>> types;  // unset: the system's table
  conf::Inherited<std::vector<ErrorPage>> error_pages;
  conf::Inherited<bool> log_not_found{true};
  conf::Inherited<bool> server_tokens{false};  // nginx: on; here off, the reference says so
  conf::Inherited<bool> absolute_redirect{true}, server_name_in_redirect{false},
      port_in_redirect{true};
  conf::Inherited<bool> merge_slashes{true};
  conf::Inherited<bool> recursive_error_pages{false};
  HandlerMaker* handler_maker = nullptr;  // never inherited; null: files
  const conf::Directive* handler_set_by = nullptr;
  bool internal = false;
  conf::Inherited<bool> rewrite_log{false};  // what rewrite and if matched, at [notice]
  conf::Inherited<bool> uninitialized_variable_warn{true};

  // The request
  conf::Inherited<std::uint64_t> client_max_body_size{1u << 20};  // bytes; 0: no limit
  conf::Inherited<Duration> client_body_timeout{Duration(60000)},
      client_header_timeout{Duration(60000)};
  conf::Inherited<std::size_t> client_body_buffer_size{16384};
  conf::Inherited<TempPath> client_body_temp_path;
  conf::Inherited<BodyStorage::FileOnly> client_body_in_file_only{BodyStorage::FileOnly::Off};
  conf::Inherited<Duration> send_timeout{Duration(60000)};
  conf::Inherited<Duration> keepalive_timeout{Duration(75000)}, keepalive_time{Duration(3600000)};
  conf::Inherited<std::uint64_t> keepalive_header{0};
  conf::Inherited<std::uint64_t> keepalive_requests{1000};
  conf::Inherited<Duration> keepalive_min_timeout{Duration(0)};
  conf::Inherited<unsigned> keepalive_disable{kMsie6};  // browsers as bits
  static constexpr unsigned kMsie6 = 1, kSafari = 2;
  conf::Inherited<bool> reset_timedout_connection{false};
  conf::Inherited<bool> chunked_transfer_encoding{true};
  conf::Inherited<Duration> lingering_time{Duration(30000)}, lingering_timeout{Duration(5000)};
  conf::Inherited<ExchangePolicy::Lingering> lingering_close{ExchangePolicy::Lingering::On};
  conf::Inherited<std::size_t> client_header_buffer_size{1024};
  conf::Inherited<std::pair<std::size_t, std::size_t>> large_client_header_buffers{{4, 8192}};
  conf::Inherited<std::size_t> max_headers{1000};
  conf::Inherited<std::uint64_t> http2_streams{128};
  conf::Inherited<std::size_t> http2_preread{64 * 1024}, http2_chunk{8192};
  conf::Inherited<bool> ignore_invalid_headers{true}, underscores_in_headers{false},
      lenient_line_endings{false};

  conf::Inherited<conf::Template> limit_rate, limit_rate_after;  // bytes; empty: none

  // Logs
  conf::Inherited<std::vector<AccessLogTarget>> access_logs;
  conf::Inherited<std::shared_ptr<OpenLogFiles>> open_log_files;  // null: none stay open
  conf::Inherited<std::vector<ErrorLogTarget>> error_logs;

  void inherit(const Settings& outer) override;
  /// What a session is told of it.
  ExchangePolicy exchange_policy() const;
};

}  // namespace gatescope::http

#pragma once

// The settings of the proxy module at http, server and location level; defaults are nginx's unless
// said.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conf/regex.h"
#include "conf/schema.h"
#include "conf/template.h"
#include "proxy/http/core_settings.h"
#include "proxy/upstream/proxy_bind.h"
#include "proxy/upstream/proxy_preamble.h"
#include "proxy/upstream/proxy_tls.h"
#include "proxy/upstream/proxy_url.h"
#include "proxy/upstream/set_cookie.h"
#include "proxy/upstream/upstream.h"

namespace gatescope::upstream {

/// What proxy_pass said.
struct ProxyPass {
  conf::Template target;        // the URL as written
  std::optional<ProxyUrl> url;  // when it holds no variables
  std::string location;  // the prefix that a URI part replaces; empty: regex or named location
  conf::Place place;
};

struct SetHeader {
  std::string name;
  conf::Template value;  // empty value: the field is not sent
};

/// One proxy_redirect.
struct Redirect {
  bool is_default = false;
  Pattern from;  // a text is a prefix
  conf::Template to;
};
struct Redirects {
  bool off = false;
  std::vector<Redirect> rules;  // empty and not off: default
};

/// proxy_next_upstream, as bits.
struct NextUpstream {
  enum : unsigned { kError = 1, kTimeout = 2, kInvalidHeader = 4, kNonIdempotent = 8 };
  unsigned causes = kError | kTimeout;
  std::vector<int> statuses;  // http_502 ...
};

/// proxy_wait_upstream: while no server of the group can be connected.
struct WaitUpstream {
  Duration time{0};               // 0: a request does not wait
  std::uint64_t requests = 1000;  // that wait for the group at the same time, per loop
};

struct ProxySettings final : conf::Settings {
  std::optional<ProxyPass> pass;  // never inherited
  bool auto_redirect = false;     // a prefix location that ends in '/': "/x" redirects to "/x/"

  // The request
  conf::Inherited<std::vector<SetHeader>> set_headers;
  conf::Inherited<bool> http10{false};  // proxy_http_version 1.0; nginx: 1.0 until 1.29.7
  conf::Inherited<bool> pass_request_headers{true}, pass_request_body{true};
  conf::Inherited<bool> request_buffering{true};
  conf::Inherited<conf::Template> body, method;

  // The response
  conf::Inherited<std::vector<std::string>> hide_headers, pass_headers;
  conf::Inherited<bool> pass_trailers{false};
  conf::Inherited<bool> intercept_errors{false};
  conf::Inherited<Redirects> redirects;
  conf::Inherited<std::vector<CookieRewrite>> cookie_domains, cookie_paths;
  conf::Inherited<std::vector<CookieFlags>> cookie_flags;
  conf::Inherited<unsigned> ignored{0};                 // IgnoredFields
  conf::Inherited<std::size_t> buffer_size{32 * 1024};  // bounds the response head; nginx: 4k or 8k
  conf::Inherited<bool> buffering{true};
  conf::Inherited<std::size_t> buffers{8 * 4096};  // bytes; proxy_buffers: number times size
  conf::Inherited<std::uint64_t> max_temp_file_size{1024ull << 20};  // bytes; 0: nothing on disk
  conf::Inherited<std::size_t> temp_file_write_size{64 * 1024};
  conf::Inherited<http::TempPath> temp_path;
  conf::Inherited<conf::Template> limit_rate;  // bytes a second; 0 or nothing: none

  // Time and tries
  conf::Inherited<bool> ignore_client_abort{false};
  conf::Inherited<Duration> connect_timeout{Duration(60000)}, send_timeout{Duration(60000)},
      read_timeout{Duration(60000)};
  conf::Inherited<NextUpstream> next_upstream;
  conf::Inherited<std::uint64_t> next_upstream_tries{0};         // 0: each server once
  conf::Inherited<Duration> next_upstream_timeout{Duration(0)};  // 0: no limit
  conf::Inherited<WaitUpstream> wait_upstream;

  conf::Inherited<ProxyBind> bind;
  conf::Inherited<SendProxy> send_proxy{SendProxy::Off};
  ProxyTls tls;

  CookieRules cookies() const { return {*cookie_domains, *cookie_paths, *cookie_flags}; }

  void inherit(const Settings& outer) override;
};

/// Of one upstream block. Read by make(), so that a block may stand behind its use.
struct UpstreamSettings final : conf::Settings {
  UpstreamSpec spec;
  conf::Place place;
  bool has_keepalive = false, has_balancing = false;
  void inherit(const Settings&) override {}
};

}  // namespace gatescope::upstream

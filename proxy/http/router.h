#pragma once

// From an address and a name to a server, from a path to a location. Built once per generation,
// then only read.

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "certs/served_context.h"
#include "conf/regex.h"
#include "proxy/base/text_map.h"
#include "proxy/http/core_settings.h"
#include "proxy/http/handler.h"
#include "proxy/http/steps.h"
#include "proxy/net/loop.h"

namespace gatescope::http {

class AccessLog;

/// One location block, ready to serve.
struct Location {
  enum class Kind { Prefix, Exact, PrefixNoRegex, Regex, Named };
  Kind kind = Kind::Prefix;
  std::string pattern;  // "/images/", "@named"; of a regex its text
  std::unique_ptr<conf::Regex> regex;
  const conf::Scope* scope = nullptr;
  const CoreSettings* core = nullptr;
  ExchangePolicy policy;  // as core says
  std::vector<std::unique_ptr<RequestStep>> rewrite, access,
      precontent;  // phases, in order of writing
  std::vector<std::unique_ptr<HeadFilter>> filters;
  std::unique_ptr<Handler> handler;
  const Handler* around = nullptr;  // an `if` without a handler of its own: that of its location
  const Handler* answering() const { return handler ? handler.get() : around; }
  HandlerKind answering_kind = HandlerKind::None;  // of answering()
  std::vector<std::shared_ptr<AccessLog>> access_logs;
  std::vector<std::shared_ptr<Log>> error_logs;  // empty: the main one
  bool auto_redirect =
      false;  // "/x" -> "/x/": a prefix location with a proxying handler, ends in '/'
  // Nested locations, sorted for the search
  std::vector<std::unique_ptr<Location>> exact, prefixes, regexes;
  std::vector<std::unique_ptr<Location>> ifs;  // never searched: a rewrite step turns to them
  std::vector<std::string> open_methods;       // limit_except: for others `limited` is taken
  std::unique_ptr<Location> limited;           // null: for all methods this
  const Location& for_method(std::string_view method) const;
  std::vector<std::pair<conf::VariableId, unsigned>> regex_names;  // (?<name>): variable and group
};

/// One server block.
struct VirtualServer {
  std::string name;  // the first server_name: $server_name
  const conf::Scope* scope = nullptr;
  Location root;  // what no location matches; holds the server's locations as children
  std::vector<std::unique_ptr<RequestStep>> rewrite;  // server level: return, if, set
  std::vector<std::pair<conf::VariableId, unsigned>>
      regex_names;  // (?<name>) of its ~server_name: variable and group
  std::unordered_map<std::string, std::unique_ptr<Location>> named;
  /// Null: no certificate here. Shared with the CertificateStore while it puts a new one in.
  std::shared_ptr<tls::ServedContext> tls;
  tls::ClientCheck client_check = tls::ClientCheck::Off;  // ssl_verify_client
  SessionSettings session;
  bool http2 = false;  // `http2 on`; a `listen ... http2` has it for all servers of its address
};

/// Names to servers for one listening address: exact, leading wildcard, trailing wildcard, regex,
/// default.
class ServerNames final : public tls::ContextChooser {
 public:
  /// False (and not added) when that name is there already: "conflicting server name".
  bool add(const std::string& name,
           const VirtualServer& server);  // "example.org", "*.x", ".x", "x.*", "~regex", ""
  void add_regex(conf::Regex regex, const VirtualServer& server);
  void set_default(const VirtualServer& server) { default_ = &server; }
  const VirtualServer& default_server() const { return *default_; }
  /// `captures` of a regex name; its groups become $1 and named variables.
  const VirtualServer& find(std::string_view host, conf::Captures* captures = nullptr) const;
  std::shared_ptr<const tls::TlsContext> choose(std::string_view name) const override;
  std::shared_ptr<const tls::TlsContext> choose_proof(std::string_view name) const override;
  void set_proofs(const tls::NameProofs* proofs) { proofs_ = proofs; }
  /// What shakes hands for this server now: its own context, else the default server's; null:
  /// neither.
  std::shared_ptr<const tls::TlsContext> context_of(const VirtualServer& server) const;
  bool offers_http2() const override { return http2_; }
  void offer_http2() { http2_ = true; }

 private:
  TextMap<const VirtualServer*> exact_, leading_, trailing_;  // leading: ".x", trailing: "x."
  std::vector<std::pair<std::unique_ptr<conf::Regex>, const VirtualServer*>> regexes_;
  const VirtualServer* default_ = nullptr;
  const tls::NameProofs* proofs_ = nullptr;  // null: nobody asks for any
  bool http2_ = false;
};

/// One address of a listen directive (all servers that name it).
struct ListenAddress {
  net::Endpoint endpoint;
  net::ListenOptions options;
  bool tls = false, http2 = false;  // http2: whatever the server says
  bool proxy_protocol = false;
  ServerNames names;
  /// Plain: a client may begin with HTTP/2's preface.
  bool offers_http2() const { return http2 || names.default_server().http2; }
  std::vector<const VirtualServer*> servers;  // that listen here, in order of writing
  std::string written;                        // as in the configuration, for messages
};

/// Everything of the http block that a request needs.
struct RoutingTable {
  std::vector<std::unique_ptr<VirtualServer>> servers;
  std::vector<std::unique_ptr<ListenAddress>> addresses;
  /// For an accepted connection's local address on a wildcard listener the more specific one wins,
  /// as in nginx.
  const ListenAddress* find(const net::Endpoint& local) const;
};

/// The location for a path: exact, longest prefix, then regexes in order unless ^~; nested ones
/// inside. `captures` is set when a regex matched. `add_slash`: the path is a location's without
/// its final slash (auto_redirect).
struct FoundLocation {
  const Location* location = nullptr;
  bool add_slash = false;
};
FoundLocation find_location(const Location& root, std::string_view path, conf::Captures& captures);

}  // namespace gatescope::http

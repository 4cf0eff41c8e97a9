#include "proxy/commands/conf_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "conf/regex.h"
#include "proxy/base/arena.h"
#include "proxy/base/text.h"
#include "proxy/commands/command_server.h"
#include "proxy/http/router.h"
#include "proxy/http/target.h"

namespace gatescope::commands {

namespace {

constexpr int kNobody = 2;

/// Of one level only: levels inside do not have them. What else a level does not set it takes from
/// the one around it.
constexpr std::string_view kNotInherited[] = {
    "alias",       "break",   "health",          "if",          "internal",    "limit_except",
    "listen",      "metrics", "numberscope_api", "proxy_pass",  "return",      "rewrite",
    "server_name", "set",     "spa_fallback",    "status_page", "stub_status", "try_files"};
/// Blocks that are no settings of the level they stand in.
constexpr std::string_view kOtherBlocks[] = {
    "acme_issuer", "events",      "geo",    "http",          "location", "map",
    "match",       "numberscope", "server", "split_clients", "upstream"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::string_view (&names)[N]) {
  return std::ranges::find(names, name) != std::end(names);
}

std::string text_of(const conf::Directive& d) {
  std::string text = d.name;
  for (const auto& argument : d.arguments)
    text += argument.quoted ? fmt::format(" \"{}\"", argument.text) : " " + argument.text;
  return text + (d.has_block ? " { ... }" : ";");
}

void print_row(std::string_view what, std::string_view text, std::string_view place) {
  fmt::print("{:<10}{:<50}  {}\n", what, text, place);
}

/// A level of the chain that ends in the location: the block's name and what stands in it.
struct Level {
  std::string name;
  const std::vector<conf::Directive>* directives = nullptr;
};

std::vector<Level> levels_of(const conf::Scope* scope, const conf::Document& document) {
  std::vector<Level> levels;
  for (; scope != nullptr; scope = scope->parent()) {
    const auto* block = scope->opened_by();
    if (block == nullptr) {
      levels.push_back({"main", &document.directives});
    } else {
      levels.push_back({block->name, &block->block});
    }
  }
  std::ranges::reverse(levels);
  return levels;
}

class Settings {
 public:
  explicit Settings(std::vector<Level> levels) : levels_(std::move(levels)) {}

  /// From the location outwards; what an inner level replaces is said behind it.
  void print() const {
    fmt::print("\nsettings that hold there, innermost first:\n");
    for (std::size_t i = levels_.size(); i-- > 0;)
      for (const auto& d : *levels_[i].directives) {
        if (is_one_of(d.name, kOtherBlocks) || d.name == "include") continue;
        const bool innermost = i + 1 == levels_.size();
        // A server's own rules are carried out before a location is looked for
        const bool before = levels_[i].name == "server" && !innermost &&
                            (d.name == "return" || d.name == "rewrite" || d.name == "set" ||
                             d.name == "if" || d.name == "break");
        if (!innermost && !before && is_one_of(d.name, kNotInherited)) continue;
        std::string note = levels_[i].name;
        if (before) note += ", before any location";
        if (const auto* inner = replaced_by(d, i))
          note += ", REPLACED by that of " + conf::to_string(inner->place);
        fmt::print("  {:<62}  {} ({})\n", text_of(d), conf::to_string(d.place), note);
      }
  }

 private:
  const conf::Directive* replaced_by(const conf::Directive& d, std::size_t level) const {
    if (is_one_of(d.name, kNotInherited)) return nullptr;
    for (std::size_t i = level + 1; i < levels_.size(); ++i)
      for (const auto& inner : *levels_[i].directives)
        if (inner.name == d.name) return &inner;
    return nullptr;
  }

  std::vector<Level> levels_;
};

std::string_view why(const http::Location& location) {
  switch (location.kind) {
    case http::Location::Kind::Exact:
      return "it is the path itself (=)";
    case http::Location::Kind::PrefixNoRegex:
      return "the longest beginning of the path, and no regular expressions after it (^~)";
    case http::Location::Kind::Regex:
      return "the first regular expression that matches";
    case http::Location::Kind::Named:
      return "by name";
    case http::Location::Kind::Prefix:
      break;
  }
  return "the longest beginning of the path, and no regular expression matches";
}

std::string why(const http::VirtualServer& server, const http::ListenAddress& address,
                const std::string& host) {
  const auto* block = server.scope->opened_by();
  for (const auto& d : block->block)
    if (d.name == "server_name")
      for (const auto& name : d.arguments)
        if (lower(name.text) == host) return "its server_name is the host";
  return &address.names.default_server() == &server
             ? "no server_name is the host: the default server of the address"
             : "a server_name with a wildcard or a regular expression matches the host";
}

const http::ListenAddress* choose(const http::RoutingTable& table, bool tls, std::uint16_t port) {
  const http::ListenAddress* best = nullptr;
  for (const auto& address : table.addresses)
    if (address->endpoint.port() == port && address->tls == tls)
      if (best == nullptr || (address->endpoint.is_wildcard() && !best->endpoint.is_wildcard()))
        best = address.get();
  return best;
}

int print_trace(const server::Generation& generation, std::string_view url) {
  Arena arena;
  const bool tls = url.starts_with("https://");
  const auto target = http::normalise_target(url, true, arena);
  if ((!tls && !url.starts_with("http://")) || !target)
    return failed(make_error(ErrorKind::Invalid, Origin::Internal,
                             fmt::format("\"{}\" is no URL: https://HOST/PATH is wanted", url)));
  const auto host = http::parse_host(target->authority, arena);
  const auto port = host ? host->port.empty() ? std::optional<std::uint64_t>(tls ? 443 : 80)
                                              : parse_unsigned(host->port)
                         : std::nullopt;
  if (!host || !port)
    return failed(make_error(ErrorKind::Invalid, Origin::Internal,
                             fmt::format("\"{}\" is no host", target->authority)));
  const std::string name(host->name);
  const auto* address = choose(*generation.routing, tls, static_cast<std::uint16_t>(*port));
  if (address == nullptr) {
    fmt::print("nothing listens on port {}{}; there are:\n", *port,
               tls ? " with TLS" : " in clear");
    for (const auto& one : generation.routing->addresses)
      fmt::print("  {}{}\n", one->endpoint.to_string(), one->tls ? " ssl" : "");
    return kNobody;
  }
  conf::Captures captures;
  const auto& server = address->names.find(name, &captures);
  const auto* block = server.scope->opened_by();
  print_row("address", fmt::format("{}{}", address->endpoint.to_string(), tls ? " ssl" : ""), "");
  print_row("server", server.name.empty() ? "(without a name)" : server.name,
            fmt::format("{}: {}", conf::to_string(block->place), why(server, *address, name)));
  const auto found = http::find_location(server.root, target->path, captures);
  const auto* location = found.location;
  if (location == nullptr || location == &server.root) {
    print_row("location", "none", "no location matches: the server's own settings");
    location = &server.root;
  } else {
    const auto* opened = location->scope->opened_by();
    std::string written = "location";
    for (const auto& argument : opened->arguments)
      written += " " + argument.text;
    print_row("location", written,
              fmt::format("{}: {}", conf::to_string(opened->place), why(*location)));
  }
  if (found.add_slash)
    print_row("answer", "301 to the same with a \"/\" at the end", "it is passed on as a folder");
  const auto* scope = location->scope != nullptr ? location->scope : server.scope;
  Settings(levels_of(scope, *generation.configuration.document)).print();
  return 0;
}

}  // namespace

int trace_configuration(const Invocation& invocation, const std::string& url) {
  NullLog log;
  CommandServer command(invocation.launch, log);
  auto loaded = command.server().check();
  if (!loaded) return failed(loaded.error());
  return print_trace(**loaded, url);
}

}  // namespace gatescope::commands

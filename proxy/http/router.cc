#include "proxy/http/router.h"

#include "proxy/base/text.h"
#include "proxy/http/access_log.h"

namespace gatescope::http {

bool ServerNames::add(const std::string& name, const VirtualServer& server) {
  if (name.starts_with("*.")) return leading_.emplace(name.substr(1), &server).second;
  if (name.starts_with(".")) {  // ".x" is "x" and "*.x"
    const bool both = leading_.emplace(name, &server).second;
    return exact_.emplace(name.substr(1), &server).second && both;
  }
  if (name.ends_with(".*"))
    return trailing_.emplace(name.substr(0, name.size() - 1), &server).second;
  return exact_.emplace(name, &server).second;
}

void ServerNames::add_regex(conf::Regex regex, const VirtualServer& server) {
  regexes_.emplace_back(std::make_unique<conf::Regex>(std::move(regex)), &server);
}

const VirtualServer& ServerNames::find(std::string_view host, conf::Captures* captures) const {
  // nginx's order: exact, the longest leading wildcard, the longest trailing one, regexes as
  // written
  if (exact_.empty() && leading_.empty() && trailing_.empty() && regexes_.empty()) return *default_;
  if (const auto it = exact_.find(host); it != exact_.end()) return *it->second;
  if (!leading_.empty())
    for (auto dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.', dot + 1))
      if (const auto it = leading_.find(host.substr(dot)); it != leading_.end()) return *it->second;
  if (!trailing_.empty())
    for (auto dot = host.rfind('.'); dot != std::string_view::npos && dot > 0;
         dot = host.rfind('.', dot - 1))
      if (const auto it = trailing_.find(host.substr(0, dot + 1)); it != trailing_.end())
        return *it->second;
  conf::Captures found;
  for (const auto& [regex, server] : regexes_)
    if (regex->match(host, &found)) {
      if (captures) *captures = std::move(found);
      return *server;
    }
  return *default_;
}

std::shared_ptr<const tls::TlsContext> ServerNames::choose(std::string_view name) const {
  return context_of(name.empty() ? *default_ : find(name));
}

std::shared_ptr<const tls::TlsContext> ServerNames::choose_proof(std::string_view name) const {
  return proofs_ ? proofs_->find(name) : nullptr;
}

std::shared_ptr<const tls::TlsContext> ServerNames::context_of(const VirtualServer& server) const {
  const auto& served = server.tls ? server.tls : default_->tls;
  return served ? served->get() : nullptr;
}

const Location& Location::for_method(std::string_view method) const {
  if (!limited) return *this;
  for (const auto& open : open_methods)
    if (open == method) return *this;
  return *limited;
}

const ListenAddress* RoutingTable::find(const net::Endpoint& local) const {
  const ListenAddress* wildcard = nullptr;
  for (const auto& address : addresses) {
    if (address->endpoint == local) return address.get();
    if (address->endpoint.is_wildcard() && address->endpoint.family() == local.family() &&
        address->endpoint.port() == local.port())
      wildcard = address.get();
  }
  return wildcard;
}

namespace {

/// The best of `parent`'s nested locations, and theirs. True when the search is over.
bool search(const Location& parent, std::string_view path, conf::Captures& captures,
            FoundLocation& found) {
  for (const auto& exact : parent.exact)
    if (exact->pattern == path) {
      found = {exact.get(), false};
      return true;
    }
  const Location* best = nullptr;
  for (const auto& prefix : parent.prefixes) {
    if (path.starts_with(prefix->pattern)) {
      if (!best || prefix->pattern.size() > best->pattern.size()) best = prefix.get();
    } else if (prefix->auto_redirect && prefix->pattern.size() == path.size() + 1 &&
               std::string_view(prefix->pattern).starts_with(path) &&
               prefix->pattern.back() == '/') {
      found = {prefix.get(), true};
      return true;
    }
  }
  if (best) {
    found = {best, false};
    if (search(*best, path, captures, found)) return true;
    if (best->kind == Location::Kind::PrefixNoRegex && found.location == best) return true;
  }
  for (const auto& regex : parent.regexes) {
    conf::Captures matched;
    if (!regex->regex->match(path, &matched)) continue;
    captures = std::move(matched);
    found = {regex.get(), false};
    search(*regex, path, captures, found);
    return true;
  }
  return false;
}

}  // namespace

FoundLocation find_location(const Location& root, std::string_view path, conf::Captures& captures) {
  FoundLocation found{&root, false};
  search(root, path, captures, found);
  return found;
}

}  // namespace gatescope::http

// What an Exchange tells about itself: variables, the file behind a path, absolute redirects.

#include <fmt/format.h>

#include <memory>

#include "certs/encoding.h"
#include "proxy/base/text.h"
#include "proxy/http/exchange.h"

namespace gatescope::http {

void Exchange::set_captures(conf::Captures captures, std::string_view subject) {
  captures_ = std::move(captures);
  captures_subject_ = subject;
}

std::string_view Exchange::request_line() {
  if (!line_) {
    const auto& head = request_.head;
    line_ = head.version != Version::Http2 || head.method.empty() || head.target.empty()
                ? head.line
                : arena().join({head.method, " ", head.target, " HTTP/2.0"});
  }
  return *line_;
}

void Exchange::ask_for_page() {
  if (request_.head.method == "HEAD") return;
  request_line();  // of what was sent
  request_.head.method = "GET";
}

namespace {
constexpr unsigned kMaxVariableDepth = 100;  // nginx's; deeper is a cycle
}

Exchange::Slot& Exchange::slot(conf::VariableId id) {
  if (!slots_) {
    const auto count = context_.variables.size();
    slots_ = static_cast<Slot*>(arena().allocate(count * sizeof(Slot), alignof(Slot)));
    std::uninitialized_default_construct_n(slots_, count);
  }
  return slots_[id];
}

std::optional<std::string_view> Exchange::value(conf::VariableId id) {
  const auto& entry = context_.variables.entry(id);
  if (entry.capture >= 0) {
    const auto i = static_cast<std::size_t>(entry.capture);
    if (i >= captures_.groups.size()) return std::nullopt;
    return captures_.group(captures_subject_, i);
  }
  if (slots_ && slots_[id].known) return slots_[id].value;
  if (!entry.get && !entry.made) {  // a `set` variable that was not set yet is empty, as in nginx
    if (core().uninitialized_variable_warn.get())
      log(LogLevel::Warn, fmt::format("using uninitialized \"{}\" variable", entry.name));
    return std::string_view();
  }
  if (variable_depth_ >= kMaxVariableDepth) {
    log(LogLevel::Error, fmt::format("cycle while evaluating variable \"{}\"", entry.name));
    return std::nullopt;
  }
  ++variable_depth_;
  const auto found = entry.made ? entry.made->value(*this) : entry.get(*this, entry.data);
  --variable_depth_;
  if (entry.cached) slot(id) = {found, true};
  return found;
}

void Exchange::set_value(conf::VariableId id, std::string_view value) {
  const auto& entry = context_.variables.entry(id);
  if (entry.set) return entry.set(*this, value);
  slot(id) = {value, true};
}

std::string_view Exchange::default_type() const {
  // nginx's own table, for configurations without `types`
  static constexpr std::pair<std::string_view, std::string_view> kUsual[] = {
      {"html", "text/html"}, {"gif", "image/gif"}, {"jpg", "image/jpeg"}};
  const auto name = request_.path.substr(request_.path.rfind('/') + 1);
  const auto dot = name.rfind('.');
  if (dot != std::string_view::npos && dot + 1 < name.size()) {
    const auto extension = lower(name.substr(dot + 1));
    if (core().types.is_set()) {
      const auto& types = *core().types.get();
      if (const auto it = types.find(extension); it != types.end()) return it->second;
    } else {
      for (const auto& [known, type] : kUsual)
        if (known == extension) return type;
    }
  }
  return core().default_type.get();
}

std::uint64_t Exchange::limit_rate() {
  if (limit_rate_ || core().limit_rate->empty()) return limit_rate_.value_or(0);
  const auto text = core().limit_rate->evaluate(*this, arena());
  return parse_size(text).value_or(0);
}

void Exchange::set_client(const net::Endpoint& client) {
  behind_proxy_ = *peer_;
  behind_proxy_->client = client;
  behind_proxy_->client_address = client.address();
  request_.connection = &*behind_proxy_;
}

std::string_view Exchange::document_root() {
  return location_->core->root->evaluate(*this, arena());
}

std::string_view Exchange::map_to_file(std::string_view uri) {
  const auto root = document_root();
  const auto replaced = location_->core->alias_prefix;
  if (!replaced) return arena().join({root, uri});
  if (*replaced == CoreSettings::kWholePath)
    return uri_in_alias_ ? arena().join({root, uri}) : root;
  return arena().join({root, uri.substr(std::min(*replaced, uri.size()))});
}

void Exchange::set_uri(std::string_view path, std::optional<std::string_view> args) {
  request_.path = path;
  if (args) {
    request_.args = *args;
    request_.has_args = !args->empty();
  }
}

std::string_view Exchange::absolute(std::string_view location) {
  // Also "//x": as it came from a client, it would lead away to the host x.
  if (location.empty() || location.front() != '/') return location;
  const auto& core = *location_->core;
  if (!core.absolute_redirect.get()) return location;
  const bool tls = connection().tls != nullptr;
  auto name = core.server_name_in_redirect.get() ? std::string_view(server_->name) : request_.host;
  if (name.empty()) {  // no valid Host: the address that the client reached, as in nginx
    const auto& local = connection().local;
    name = arena().copy(local.family() == net::Endpoint::Family::V6 ? "[" + local.address() + "]"
                                                                    : local.address());
  }
  std::string port;
  const auto number = connection().local.port();
  if (core.port_in_redirect.get() && number != 0 && number != (tls ? 443 : 80))
    port = fmt::format(":{}", number);
  return arena().join({tls ? "https://" : "http://", name, port, location});
}

/// keepalive_disable: by the signs in User-Agent that nginx goes by.
bool Exchange::keeps_no_connection() const {
  const unsigned browsers = location_->core->keepalive_disable.get();
  // Over HTTP/2 there is no such field, and of the default's browser only POST is concerned.
  if (browsers == 0 || request_.head.version == Version::Http2 ||
      (browsers == CoreSettings::kMsie6 && request_.head.method != "POST"))
    return false;
  const auto agent = request_.head.headers.find("user-agent").value_or("");
  const auto has = [&](std::string_view part) {
    return agent.find(part) != std::string_view::npos;
  };
  if (has("Opera")) return false;
  if (const auto at = agent.find("MSIE "); at != std::string_view::npos) {
    const auto version = agent.substr(at + 5);
    const bool old = version.size() > 2 && version[1] == '.' &&
                     (version[0] == '4' || version[0] == '5' ||
                      (version[0] == '6' && version.find("SV1") == std::string_view::npos));
    return old && (browsers & CoreSettings::kMsie6) && request_.head.method == "POST";
  }
  return (browsers & CoreSettings::kSafari) && has("Safari/") && has("Mac OS X") &&
         !has("Gecko/") && !has("Chrome/");
}

std::optional<std::string_view> Exchange::remote_user() const {
  const auto field = request_.head.headers.find("authorization");
  if (!field || !starts_with_ignoring_case(*field, "basic ")) return std::nullopt;
  const auto decoded = tls::base64_decode(trim(field->substr(6)));
  if (!decoded) return std::nullopt;
  const auto text = link_.arena().copy(*decoded);
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return text.substr(0, colon);
}

}  // namespace gatescope::http

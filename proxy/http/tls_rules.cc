#include "proxy/http/tls_rules.h"

#include <fmt/format.h>

namespace gatescope::http {

using tls::ClientCheck;

namespace {

/// Without a name in the handshake nginx judges by whatever the default server's authorities said.
/// Where this server believes others, that verdict is not its own.
bool judged_by_others(const ListenAddress& address, const tls::TlsFacts& facts,
                      const VirtualServer& server) {
  const auto own = address.names.context_of(server);
  return facts.client_verdict().presented && own != nullptr &&
         own->client_rules() != facts.client_rules();
}

}  // namespace

std::optional<TlsRefusal> misdirected(const ListenAddress& address,
                                      const ConnectionInfo& connection, std::string_view host,
                                      const VirtualServer& found) {
  if (connection.tls == nullptr || found.client_check == ClientCheck::Off) return std::nullopt;
  const auto& facts = *connection.tls;
  const auto name = facts.server_name();
  const bool other = name.empty() ? judged_by_others(address, facts, found) : name != host;
  if (!other) return std::nullopt;
  return TlsRefusal{421,
                    "client attempted to request the server name different from the one that was "
                    "negotiated"};
}

std::optional<TlsRefusal> refused_by_tls(const ListenAddress& address,
                                         const ConnectionInfo& connection,
                                         const VirtualServer& server) {
  if (!address.tls) return std::nullopt;
  if (connection.tls == nullptr) {
    return TlsRefusal{497, "client sent plain HTTP request to HTTPS port"};
  }
  if (server.client_check == ClientCheck::Off) return std::nullopt;
  const auto verdict = connection.tls->client_verdict();
  const bool pardoned = server.client_check == ClientCheck::OptionalNoCa && verdict.untrusted;
  if (!verdict.good && !pardoned) {
    connection.tls->forget_session();
    return TlsRefusal{495, fmt::format("client SSL certificate verify error: ({}:{})", verdict.code,
                                       verdict.text)};
  }
  if (server.client_check == ClientCheck::On && !verdict.presented) {
    connection.tls->forget_session();
    return TlsRefusal{496, "client sent no required SSL certificate"};
  }
  return std::nullopt;
}

}  // namespace gatescope::http

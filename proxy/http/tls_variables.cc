// nginx's $ssl_ variables.

#include "proxy/http/core_variables.h"
#include "proxy/http/exchange.h"

namespace gatescope::http {

namespace {

using tls::TlsFact;

template <TlsFact kFact>
std::optional<std::string_view> fact(Exchange& x, std::string_view) {
  const auto* facts = x.connection().tls;
  if (!facts) return std::nullopt;
  return facts->ask(kFact, x.loop().clock().wall(), x.arena());
}

const VariableSpec kTlsVariables[] = {
    {"ssl_alpn_protocol", fact<TlsFact::AlpnProtocol>},
    {"ssl_cipher", fact<TlsFact::Cipher>},
    {"ssl_ciphers", fact<TlsFact::Ciphers>},
    {"ssl_client_cert", fact<TlsFact::ClientCert>},
    {"ssl_client_escaped_cert", fact<TlsFact::ClientEscapedCert>},
    {"ssl_client_fingerprint", fact<TlsFact::ClientFingerprint>},
    {"ssl_client_i_dn", fact<TlsFact::ClientIDn>},
    {"ssl_client_i_dn_legacy", fact<TlsFact::ClientIDnLegacy>},
    {"ssl_client_raw_cert", fact<TlsFact::ClientRawCert>},
    {"ssl_client_s_dn", fact<TlsFact::ClientSDn>},
    {"ssl_client_s_dn_legacy", fact<TlsFact::ClientSDnLegacy>},
    {"ssl_client_serial", fact<TlsFact::ClientSerial>},
    {"ssl_client_sigalg", fact<TlsFact::ClientSigalg>},
    {"ssl_client_v_end", fact<TlsFact::ClientVEnd>},
    {"ssl_client_v_remain", fact<TlsFact::ClientVRemain>},
    {"ssl_client_v_start", fact<TlsFact::ClientVStart>},
    {"ssl_client_verify", fact<TlsFact::ClientVerify>},
    {"ssl_curve", fact<TlsFact::Curve>},
    {"ssl_curves", fact<TlsFact::Curves>},
    {"ssl_early_data", fact<TlsFact::EarlyData>},
    {"ssl_protocol", fact<TlsFact::Protocol>},
    {"ssl_server_name", fact<TlsFact::ServerName>},
    {"ssl_session_id", fact<TlsFact::SessionId>},
    {"ssl_session_reused", fact<TlsFact::SessionReused>},
    {"ssl_sigalg", fact<TlsFact::Sigalg>},
};

}  // namespace

std::span<const VariableSpec> tls_variables() {
  return kTlsVariables;
}

}  // namespace gatescope::http

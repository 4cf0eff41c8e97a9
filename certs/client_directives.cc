// ssl_verify_client and its family: clients' certificates.

#include <algorithm>

#include "certs/directive_parts.h"

namespace gatescope::tls {
namespace {

using conf::Directive;
using conf::Loader;
using conf::Scope;
using namespace directives;

Result<void> set_verify_client(Loader& loader, Scope& scope, const Directive& d) {
  static constexpr std::string_view kWords[] = {"off", "on", "optional", "optional_no_ca"};
  const auto word = loader.choice(d, 0, kWords);
  if (!word) return word.error();
  return loader.set_once(own(scope).verify_client, static_cast<ClientCheck>(*word), d);
}

Result<void> set_verify_depth(Loader& loader, Scope& scope, const Directive& d) {
  constexpr std::uint64_t kDeepest = 100;  // OpenSSL's own default; a chain is never that long
  const auto depth = loader.number(d);
  if (!depth) return depth.error();
  return loader.set_once(own(scope).verify_depth, static_cast<unsigned>(std::min(*depth, kDeepest)),
                         d);
}

constexpr conf::DirectiveSpec kClientDirectives[] = {
    {.name = "ssl_verify_client",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_verify_client on | off | optional | optional_no_ca;",
     .fallback = "off",
     .doc = "Whether clients are asked for a certificate. on: without a good one the answer is 400 "
            "(error_page 495 and 496). optional: one that is shown must be good. optional_no_ca: "
            "it may be signed by anybody; what serves the request looks at $ssl_client_verify.",
     .apply = set_verify_client,
     .note = "A request for another name than the one of the handshake is answered 421 where the "
             "server of that name verifies clients, as in nginx; also when the client named none "
             "in the handshake and showed a certificate to a server with other authorities."},
    {.name = "ssl_verify_depth",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_verify_depth number;",
     .fallback = "1",
     .doc = "How many intermediate authorities may stand between a client's certificate and a "
            "trusted one.",
     .apply = set_verify_depth},
    {.name = "ssl_client_certificate",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_client_certificate file;",
     .doc = "Authorities in PEM that sign clients' certificates. Their names are sent to clients.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       return set_file(own(s).client_certificate, l, d);
     }},
    {.name = "ssl_trusted_certificate",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_trusted_certificate file;",
     .doc = "The same as ssl_client_certificate, but the names are not sent.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       return set_file(own(s).trusted_certificate, l, d);
     }},
    {.name = "ssl_crl",
     .contexts = kLevels,
     .arity = {1, 1},
     .syntax = "ssl_crl file;",
     .doc = "Revoked certificates (CRLs in PEM), one list for each authority of a client's chain.",
     .apply = [](Loader& l, Scope& s, const Directive& d) -> Result<void> {
       return set_file(own(s).crl, l, d);
     }},
};

}  // namespace

std::span<const conf::DirectiveSpec> client_directives() {
  return kClientDirectives;
}

}  // namespace gatescope::tls

#include "certs/hello_choice.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "proxy/base/text.h"

namespace gatescope::tls {
namespace {

/// The first host_name of a server_name extension (RFC 6066 3); empty when it is malformed, which
/// OpenSSL then refuses itself.
std::string_view host_name(std::span<const unsigned char> extension) {
  const auto take16 = [&]() -> std::size_t {
    if (extension.size() < 2) return 0;
    const std::size_t value = std::size_t{extension[0]} << 8 | extension[1];
    extension = extension.subspan(2);
    return value;
  };
  if (take16() != extension.size() || extension.empty()) return {};
  if (extension[0] != TLSEXT_NAMETYPE_host_name) return {};
  extension = extension.subspan(1);
  const std::size_t length = take16();
  if (length == 0 || length > extension.size()) return {};
  return {reinterpret_cast<const char*>(extension.data()), length};
}

/// Without blanks and control characters: the name goes to the log and to regular expressions.
bool is_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7f' && c != '/' && c != '\\';
  });
}

/// As nginx does in its server name callback; groups and tickets, which an SSL copies when it is
/// made, besides.
void switch_to(SSL* ssl, const TlsContext& before, const TlsContext& chosen) {
  SSL_CTX* const context = chosen.native();
  SSL_set_SSL_CTX(ssl, context);
  SSL_set_verify(ssl, SSL_CTX_get_verify_mode(context), SSL_CTX_get_verify_callback(context));
  SSL_set_verify_depth(ssl, SSL_CTX_get_verify_depth(context));
  SSL_clear_options(ssl, SSL_get_options(ssl) & ~SSL_CTX_get_options(context));
  SSL_set_options(ssl, SSL_CTX_get_options(context));
  SSL_set_min_proto_version(ssl, static_cast<int>(SSL_CTX_get_min_proto_version(context)));
  SSL_set_max_proto_version(ssl, static_cast<int>(SSL_CTX_get_max_proto_version(context)));
  SSL_set_num_tickets(ssl, SSL_CTX_get_num_tickets(context));
  if (before.groups() != chosen.groups()) SSL_set1_groups_list(ssl, chosen.groups().c_str());
}

/// The list of RFC 7301 with nothing in it but acme-tls/1, as RFC 8737 3 demands.
bool asks_for_proof(SSL* ssl) {
  static constexpr unsigned char kOnly[] = {0,   11,  10,  'a', 'c', 'm', 'e',
                                            '-', 't', 'l', 's', '/', '1'};
  const unsigned char* list = nullptr;
  std::size_t size = 0;
  return SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &list,
                                   &size) == 1 &&
         std::ranges::equal(std::span(list, size), kOnly);
}

void choose(SSL* ssl, HelloChoice& choice) {
  const unsigned char* extension = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension, &size) != 1) return;
  std::string_view sent = host_name({extension, size});
  if (!is_name(sent)) return;
  choice.server_name = sent;
  std::shared_ptr<const TlsContext> chosen;
  if (asks_for_proof(ssl)) chosen = choice.chooser->choose_proof(choice.lookup_name());
  choice.proves = chosen != nullptr;
  if (!chosen) chosen = choice.chooser->choose(choice.lookup_name());
  if (!chosen || chosen == choice.context) return;
  switch_to(ssl, *choice.context, *chosen);
  choice.context = std::move(chosen);
}

int on_client_hello(SSL* ssl, int* alert, void*) noexcept {
  auto* const choice = static_cast<HelloChoice*>(SSL_get_app_data(ssl));
  if (choice->chooser != nullptr) choose(ssl, *choice);
  if (choice->context->rejects_handshake()) {
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_CLIENT_HELLO_ERROR;
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

// The name was used: the server says so in its hello (RFC 6066 3), and keeps it in the session.
int on_server_name(SSL*, int*, void*) noexcept {
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

std::string HelloChoice::lookup_name() const {
  std::string name = lower(server_name);
  if (name.ends_with('.')) name.pop_back();
  return name;
}

void use_hello_choice(SSL_CTX* context) {
  SSL_CTX_set_client_hello_cb(context, on_client_hello, nullptr);
  SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
}

}  // namespace gatescope::tls

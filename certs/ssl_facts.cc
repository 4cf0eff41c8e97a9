#include "certs/ssl_facts.h"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <array>
#include <vector>

#include "certs/key_pair.h"
#include "certs/openssl_ptr.h"
#include "certs/openssl_versions.h"
#include "proxy/base/text.h"

namespace gatescope::tls {
namespace {

using Value = std::optional<std::string_view>;

Value kept(Arena& arena, std::string_view text) {
  if (text.empty()) return std::nullopt;
  return arena.copy(text);
}

/// Names of OpenSSL's that live as long as the program.
Value constant(const char* text) {
  if (text == nullptr || *text == '\0') return std::nullopt;
  return text;
}

std::string_view view(std::span<const unsigned char> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What `write` puts into a BIO; nothing when it fails.
template <class Write>
Value printed(Arena& arena, Write write) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || write(bio.get()) <= 0) {
    ERR_clear_error();
    return std::nullopt;
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return kept(arena, {data, static_cast<std::size_t>(size)});
}

// ---- The connection

Value ciphers_of_client(SSL* ssl, Arena& arena) {
  const auto width = static_cast<std::size_t>(SSL_get0_raw_cipherlist(ssl, nullptr));
  unsigned char* raw = nullptr;
  const std::size_t size = SSL_get0_raw_cipherlist(ssl, &raw);
  std::string list;
  for (std::size_t at = 0; width != 0 && at + width <= size; at += width) {
    if (!list.empty()) list += ':';
    const SSL_CIPHER* known = SSL_CIPHER_find(ssl, raw + at);
    list += known != nullptr ? SSL_CIPHER_get_name(known) : "0x" + to_hex(view({raw + at, width}));
  }
  return kept(arena, list);
}

Value groups_of_client(SSL* ssl, Arena& arena) {
  const auto count = SSL_get1_groups(ssl, nullptr);
  if (count <= 0) return std::nullopt;
  std::vector<int> ids(static_cast<std::size_t>(count));
  SSL_get1_groups(ssl, ids.data());
  std::string list;
  for (const int id : ids) {
    if (!list.empty()) list += ':';
    list += name_of_group(ssl, id);
  }
  return kept(arena, list);
}

Value session_id(SSL* ssl, Arena& arena) {
  const SSL_SESSION* session = SSL_get0_session(ssl);
  if (session == nullptr) return std::nullopt;
  unsigned size = 0;
  const unsigned char* id = SSL_SESSION_get_id(session, &size);
  return kept(arena, to_hex(view({id, size})));
}

Value alpn_protocol(SSL* ssl, Arena& arena) {
  const unsigned char* data = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &data, &size);
  return kept(arena, view({data, size}));
}

// ---- The client's certificate

Value raw_certificate(X509* certificate, Arena& arena) {
  return printed(arena, [&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

/// Each line but the first begins with a tab: it once went into a header field.
Value tabbed_certificate(X509* certificate, Arena& arena) {
  const Value raw = raw_certificate(certificate, arena);
  if (!raw) return raw;
  std::string text;
  for (const char c : raw->substr(0, raw->size() - 1)) {
    text += c;
    if (c == '\n') text += '\t';
  }
  return arena.copy(text);
}

Value escaped_certificate(X509* certificate, Arena& arena) {
  const Value raw = raw_certificate(certificate, arena);
  if (!raw) return raw;
  std::string text;
  for (const char c : *raw) {  // RFC 3986 2.3: what may stand as it is
    if (is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      text += c;
    } else {
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return arena.copy(text);
}

Value name(const X509_NAME* of, Arena& arena) {
  return printed(arena, [&](BIO* bio) { return X509_NAME_print_ex(bio, of, 0, XN_FLAG_RFC2253); });
}

Value legacy_name(const X509_NAME* of, Arena& arena) {
  char* text = X509_NAME_oneline(of, nullptr, 0);
  if (text == nullptr) return std::nullopt;
  const Value value = kept(arena, text);
  OPENSSL_free(text);
  return value;
}

Value fingerprint(const X509* certificate, Arena& arena) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum;
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha1(), sum.data(), &size) != 1) return std::nullopt;
  return kept(arena, to_hex(view({sum.data(), size})));
}

Value time(const ASN1_TIME* when, Arena& arena) {
  return printed(arena, [&](BIO* bio) { return ASN1_TIME_print(bio, when); });
}

/// Whole days until the end.
Value days_left(const X509* certificate, WallTime now, Arena& arena) {
  const std::int64_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const std::int64_t left = unix_time(X509_get0_notAfter(certificate)) - seconds;
  return kept(arena, fmt::format("{}", left > 0 ? left / 86400 : 0));
}

Value verdict_text(SSL* ssl, Arena& arena) {
  const ClientVerdict verdict = client_verdict_of(ssl);
  if (!verdict.presented) return "NONE";
  if (verdict.good) return "SUCCESS";
  return arena.join({"FAILED:", verdict.text});
}

Value ask_certificate(X509* certificate, TlsFact fact, WallTime now, Arena& arena) {
  switch (fact) {
    case TlsFact::ClientCert:
      return tabbed_certificate(certificate, arena);
    case TlsFact::ClientRawCert:
      return raw_certificate(certificate, arena);
    case TlsFact::ClientEscapedCert:
      return escaped_certificate(certificate, arena);
    case TlsFact::ClientSDn:
      return name(X509_get_subject_name(certificate), arena);
    case TlsFact::ClientIDn:
      return name(X509_get_issuer_name(certificate), arena);
    case TlsFact::ClientSDnLegacy:
      return legacy_name(X509_get_subject_name(certificate), arena);
    case TlsFact::ClientIDnLegacy:
      return legacy_name(X509_get_issuer_name(certificate), arena);
    case TlsFact::ClientSerial:
      return printed(arena, [&](BIO* bio) {
        return i2a_ASN1_INTEGER(bio, X509_get0_serialNumber(certificate));
      });
    case TlsFact::ClientFingerprint:
      return fingerprint(certificate, arena);
    case TlsFact::ClientVStart:
      return time(X509_get0_notBefore(certificate), arena);
    case TlsFact::ClientVEnd:
      return time(X509_get0_notAfter(certificate), arena);
    case TlsFact::ClientVRemain:
      return days_left(certificate, now, arena);
    default:
      return std::nullopt;
  }
}

/// As nginx: what may be wrong under `optional_no_ca`.
bool is_only_untrusted(long code) {
  return code == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
         code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
         code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
         code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

}  // namespace

ClientVerdict client_verdict_of(SSL* ssl) {
  const long code = SSL_get_verify_result(ssl);
  return {.presented = SSL_get0_peer_certificate(ssl) != nullptr,
          .good = code == X509_V_OK,
          .untrusted = is_only_untrusted(code),
          .code = static_cast<int>(code),
          .text = X509_verify_cert_error_string(code)};
}

std::optional<std::string_view> ask_ssl(SSL* ssl, TlsFact fact, std::string_view server_name,
                                        WallTime now, Arena& arena) {
  switch (fact) {
    case TlsFact::Protocol:
      return constant(SSL_get_version(ssl));
    case TlsFact::Cipher:
      return constant(SSL_get_cipher_name(ssl));
    case TlsFact::Ciphers:
      return ciphers_of_client(ssl, arena);
    case TlsFact::Curve:
      return kept(arena, name_of_group(ssl, static_cast<int>(SSL_get_negotiated_group(ssl))));
    case TlsFact::Curves:
      return groups_of_client(ssl, arena);
    case TlsFact::Sigalg:
      return constant(signature_name(ssl));
    case TlsFact::ClientSigalg:
      return constant(peer_signature_name(ssl));
    case TlsFact::SessionId:
      return session_id(ssl, arena);
    case TlsFact::SessionReused:
      return SSL_session_reused(ssl) == 1 ? "r" : ".";
    case TlsFact::ServerName:
      return kept(arena, server_name);
    case TlsFact::EarlyData:
      return std::nullopt;  // none is ever accepted
    case TlsFact::AlpnProtocol:
      return alpn_protocol(ssl, arena);
    case TlsFact::ClientVerify:
      return verdict_text(ssl, arena);
    default:
      break;
  }
  X509* const certificate = SSL_get0_peer_certificate(ssl);
  return certificate != nullptr ? ask_certificate(certificate, fact, now, arena) : std::nullopt;
}

}  // namespace gatescope::tls

#include "certs/openssl_ptr.h"

#include <openssl/pem.h>

#include <array>

namespace gatescope::tls {

std::string with_ssl_errors(std::string_view what) {
  std::string text(what);
  bool first = true;
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    std::array<char, 256> line;
    ERR_error_string_n(code, line.data(), line.size());
    text += first ? " (SSL: " : " ";
    text += line.data();
    if (data != nullptr && *data != '\0' && (flags & ERR_TXT_STRING) != 0) {
      text += ':';
      text += data;
    }
    first = false;
  }
  if (!first) text += ')';
  return text;
}

Error ssl_error(ErrorKind kind, Origin origin, std::string_view what) {
  return make_error(kind, origin, with_ssl_errors(what));
}

Error config_error(std::string_view what) {
  return ssl_error(ErrorKind::Invalid, Origin::Internal, what);
}

Error placed(const Error& error, const conf::Place& place) {
  if (place.line == 0) return error;
  return {error.kind, error.origin, conf::error_at(place, error.detail).detail};
}

bool is_end_of_pem() {
  const unsigned long code = ERR_peek_last_error();
  return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

BioPtr bio_on(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

}  // namespace gatescope::tls

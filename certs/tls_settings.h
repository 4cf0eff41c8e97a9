#pragma once

// What the ssl_* directives of one server say.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "conf/source.h"
#include "proxy/base/clock.h"

namespace gatescope::tls {

/// A file that a directive names, and where it stands, for the errors that show only later.
struct NamedFile {
  NamedFile() = default;
  NamedFile(std::string file, conf::Place at = {}) : path(std::move(file)), place(at) {}
  NamedFile(const char* file) : path(file) {}
  bool empty() const { return path.empty(); }

  std::string path;   // absolute; of a certificate or key also "data:" and PEM text
  conf::Place place;  // line 0: nowhere (tests, the development certificate)
};

enum class ClientCheck { Off, On, Optional, OptionalNoCa };  // ssl_verify_client

/// One server's TLS settings; defaults are nginx's.
struct TlsSettings {
  struct Pair {
    NamedFile certificate, key;
  };
  struct Command {  // ssl_conf_command
    std::string name, value;
    conf::Place place;
  };
  conf::Place place;        // of the server block, for what no directive is to blame for
  std::vector<Pair> pairs;  // RSA and ECDSA may both be given
  NamedFile password_file;  // for encrypted keys
  bool tls12 = true, tls13 = true, tls11 = false, tls10 = false;
  std::string ciphers = "HIGH:!aNULL:!MD5";
  bool prefer_server_ciphers = false;
  std::string ecdh_curve = "auto";  // auto: X25519 first
  NamedFile dhparam;                // empty: no DHE ciphers (as nginx)
  bool tickets = true;
  std::vector<NamedFile> ticket_keys;  // the first encrypts; empty: keys of our own that change
  std::string session_cache = "none";  // none | off | builtin[:N] | shared:NAME:SIZE
  Duration session_timeout{300000};
  std::vector<std::string> alpn = {"http/1.1"};
  std::size_t buffer_size = 16384;  // ssl_buffer_size: largest record
  ClientCheck verify_client = ClientCheck::Off;
  unsigned verify_depth = 1;
  NamedFile client_certificate;   // authorities whose names are sent
  NamedFile trusted_certificate;  // authorities whose names are not
  NamedFile crl;
  bool reject_handshake = false;
  std::vector<Command> commands;
};

}  // namespace gatescope::tls

#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace gatescope::integration {

/// The bytes below HTTP: a socket, with TLS on it or not; blocking, with a deadline in each step.
/// Throws std::runtime_error when the server does not do what is waited for.
class Wire {
 public:
  static int to_port(std::uint16_t port);
  static int to_unix_socket(const std::string& path);
  /// `fd`: of a connection, owned from now on.
  explicit Wire(int fd) : fd_(fd) {}
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// As Client::tls.
  void shake_hands(const std::string& ca_file, const std::string& name, const std::string& own,
                   std::string_view alpn);
  /// 0: closed, in order or not.
  std::size_t read(char* to, std::size_t size);
  void write(std::string_view bytes);
  const SSL* ssl() const { return ssl_; }  // null: no TLS
  std::string alpn() const;                // what the server chose; empty: nothing

 private:
  void show(const std::string& pem);

  const int fd_;
  SSL_CTX* context_ = nullptr;  // null: no TLS
  SSL* ssl_ = nullptr;
};

}  // namespace gatescope::integration

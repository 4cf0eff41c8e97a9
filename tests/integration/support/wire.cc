#include "tests/integration/support/wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>

#include "tests/integration/support/within.h"

namespace gatescope::integration {

namespace {

int connected(int family, const sockaddr* address, socklen_t size) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{kPatience.count(), 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(fd, address, size) == 0) return fd;
  const std::string why = std::strerror(errno);
  ::close(fd);
  throw std::runtime_error("connect: " + why);
}

}  // namespace

int Wire::to_port(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connected(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

int Wire::to_unix_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("long path " + path);
  path.copy(address.sun_path, path.size());
  return connected(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

Wire::~Wire() {
  SSL_free(ssl_);
  SSL_CTX_free(context_);
  ::close(fd_);
}

void Wire::shake_hands(const std::string& ca_file, const std::string& name, const std::string& own,
                       std::string_view alpn) {
  // OpenSSL writes without MSG_NOSIGNAL. A handler, not SIG_IGN: programs started later inherit
  // none.
  ::signal(SIGPIPE, [](int) {});
  context_ = SSL_CTX_new(TLS_client_method());
  if (!own.empty()) show(own);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_load_verify_locations(context_, ca_file.c_str(), nullptr) != 1)
    throw std::runtime_error("cannot load " + ca_file);
  ssl_ = SSL_new(context_);
  SSL_set_fd(ssl_, fd_);
  SSL_set_tlsext_host_name(ssl_, name.c_str());
  SSL_set1_host(ssl_, name.c_str());
  if (!alpn.empty())
    SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(alpn.data()),
                        static_cast<unsigned>(alpn.size()));
  if (SSL_connect(ssl_) == 1) return;
  char why[256];
  ERR_error_string_n(ERR_get_error(), why, sizeof why);
  throw std::runtime_error(std::string("handshake: ") + why);
}

void Wire::show(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  const bool taken = certificate && key && SSL_CTX_use_certificate(context_, certificate) == 1 &&
                     SSL_CTX_use_PrivateKey(context_, key) == 1;
  EVP_PKEY_free(key);
  X509_free(certificate);
  BIO_free(bio);
  if (!taken) throw std::runtime_error("cannot use the client's certificate");
}

std::size_t Wire::read(char* to, std::size_t size) {
  const auto got = ssl_ ? SSL_read(ssl_, to, static_cast<int>(size)) : ::recv(fd_, to, size, 0);
  if (got > 0) return static_cast<std::size_t>(got);
  const bool late = ssl_ ? SSL_get_error(ssl_, static_cast<int>(got)) == SSL_ERROR_WANT_READ
                         : got < 0 && errno == EAGAIN;
  if (late) throw std::runtime_error("nothing came in time");
  return 0;
}

void Wire::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ssl_ ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                           : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) throw std::runtime_error("the server does not take what is sent");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string Wire::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  if (ssl_) SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

}  // namespace gatescope::integration

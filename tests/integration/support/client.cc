#include "tests/integration/support/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <strings.h>
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

int connected_to_port(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connected(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

/// The bytes below HTTP: a socket, with TLS on it or not.
class Client::Wire {
 public:
  explicit Wire(int fd) : fd_(fd) {}
  ~Wire() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ::close(fd_);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void shake_hands(const std::string& ca_file, const std::string& name, const std::string& own,
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

  void show(const std::string& pem) {
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

  /// 0: closed, in order or not.
  std::size_t read(char* to, std::size_t size) {
    const auto got = ssl_ ? SSL_read(ssl_, to, static_cast<int>(size)) : ::recv(fd_, to, size, 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got < 0 && !ssl_ && errno == EAGAIN) throw std::runtime_error("nothing came in time");
    return 0;
  }

  std::size_t write(const char* from, std::size_t size) {
    const auto sent = ssl_ ? SSL_write(ssl_, from, static_cast<int>(size))
                           : ::send(fd_, from, size, MSG_NOSIGNAL);
    if (sent <= 0) throw std::runtime_error("the server does not take what is sent");
    return static_cast<std::size_t>(sent);
  }

  const SSL* ssl() const { return ssl_; }

 private:
  const int fd_;
  SSL_CTX* context_ = nullptr;  // null: no TLS
  SSL* ssl_ = nullptr;
};

std::string Answer::field(std::string_view name) const {
  for (const auto& [key, value] : fields)
    if (same_name(key, name)) return value;
  return "";
}

std::size_t Answer::count(std::string_view name) const {
  std::size_t number = 0;
  for (const auto& [key, value] : fields)
    number += same_name(key, name) ? 1 : 0;
  return number;
}

Client::Client(std::unique_ptr<Wire> wire) : wire_(std::move(wire)) {}
Client::Client(Client&&) noexcept = default;
Client::~Client() = default;

Client Client::tcp(std::uint16_t port) {
  return Client(std::make_unique<Wire>(connected_to_port(port)));
}

Client Client::unix_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("long path " + path);
  path.copy(address.sun_path, path.size());
  return Client(std::make_unique<Wire>(
      connected(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address)));
}

Client Client::tls(std::uint16_t port, const std::string& ca_file, const std::string& name,
                   const std::string& own, std::string_view first, std::string_view alpn) {
  auto wire = std::make_unique<Wire>(connected_to_port(port));
  while (!first.empty())
    first.remove_prefix(wire->write(first.data(), first.size()));
  wire->shake_hands(ca_file, name, own, alpn);
  return Client(std::move(wire));
}

void Client::send(std::string_view bytes) {
  while (!bytes.empty())
    bytes.remove_prefix(wire_->write(bytes.data(), bytes.size()));
}

bool Client::more() {
  char piece[16384];
  const auto got = wire_->read(piece, sizeof piece);
  buffer_.append(piece, got);
  return got > 0;
}

std::string Client::line() {
  std::size_t end;
  while ((end = buffer_.find("\r\n")) == std::string::npos)
    if (!more()) throw std::runtime_error("closed within a line: \"" + buffer_ + "\"");
  std::string text = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return text;
}

std::string Client::take(std::size_t size) {
  while (buffer_.size() < size)
    if (!more())
      throw std::runtime_error("closed after " + std::to_string(buffer_.size()) + " bytes of " +
                               std::to_string(size));
  std::string bytes = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return bytes;
}

std::string Client::some() {
  if (buffer_.empty()) more();
  return std::exchange(buffer_, {});
}

std::string Client::rest() {
  while (more()) {
  }
  return std::exchange(buffer_, {});
}

bool Client::closed() {
  return buffer_.empty() && !more();
}

Answer Client::answer_head() {
  Answer answer;
  std::string text = line();
  answer.head = text;
  if (text.size() < 12 || !text.starts_with("HTTP/1."))
    throw std::runtime_error("no status line: \"" + text + "\"");
  answer.status = std::stoi(text.substr(9, 3));
  while (!(text = line()).empty()) {
    answer.head += "\r\n" + text;
    const auto colon = text.find(": ");
    if (colon == std::string::npos) throw std::runtime_error("no field: \"" + text + "\"");
    answer.fields.emplace_back(text.substr(0, colon), text.substr(colon + 2));
  }
  return answer;
}

void Client::read_chunked(Answer& answer) {
  for (;;) {
    const auto size = std::stoul(line(), nullptr, 16);
    if (size == 0) break;
    answer.body += take(size);
    take(2);
  }
  while (!line().empty()) {
  }
}

Answer Client::answer(bool to_head) {
  Answer answer = answer_head();
  const bool bodiless =
      to_head || answer.status == 204 || answer.status == 304 || answer.status < 200;
  if (bodiless) return answer;
  if (answer.field("Transfer-Encoding") == "chunked") {
    read_chunked(answer);
  } else if (answer.count("Content-Length")) {
    answer.body = take(std::stoul(answer.field("Content-Length")));
  } else {
    answer.body = rest();
  }
  return answer;
}

Answer Client::get(std::string_view path, std::string_view host, std::string_view more_fields) {
  std::string request = "GET ";
  request.append(path).append(" HTTP/1.1\r\nHost: ").append(host).append("\r\n");
  request.append(more_fields).append("\r\n");
  send(request);
  return answer();
}

std::string Client::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  if (wire_->ssl()) SSL_get0_alpn_selected(wire_->ssl(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string Client::tls_version() const {
  return wire_->ssl() ? SSL_get_version(wire_->ssl()) : "";
}

Answer get(std::uint16_t port, std::string_view path, std::string_view host) {
  return Client::tcp(port).get(path, host, "Connection: close\r\n");
}

bool can_connect(std::uint16_t port) {
  try {
    Client::tcp(port);
    return true;
  } catch (const std::runtime_error& error) {
    if (std::string_view(error.what()).find(std::strerror(ECONNREFUSED)) == std::string_view::npos)
      throw;
    return false;
  }
}

}  // namespace gatescope::integration

#include "certs/tls_probe.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "certs/issue_certificate.h"
#include "certs/openssl_ptr.h"
#include "certs/openssl_versions.h"
#include "proxy/base/text.h"
#include "proxy/net/endpoint.h"

namespace gatescope::tls {
namespace {

constexpr std::size_t kLongestHead = 64 * 1024;

Error probe_error(ErrorKind kind, std::string detail) {
  return make_error(kind, Origin::Upstream, std::move(detail));
}

/// One deadline for everything that follows.
class Patience {
 public:
  explicit Patience(Duration time) : until_(SystemClock().now() + time) {}
  /// False: the deadline has passed.
  bool wait(int fd, short events) const {
    for (;;) {
      const auto left = std::chrono::ceil<Duration>(until_ - SystemClock().now()).count();
      if (left <= 0) return false;
      pollfd one{fd, events, 0};
      const int ready = ::poll(&one, 1, static_cast<int>(left));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
    }
  }

 private:
  const MonoTime until_;
};

Result<UniqueFd> connect_to(const net::Endpoint& address, Duration patience) {
  const auto what = "connect() to " + address.to_string();
  UniqueFd fd(::socket(address.raw()->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return system_error(errno, "socket()", Origin::Upstream);
  if (::connect(fd.get(), address.raw(), address.raw_size()) == 0) return fd;
  if (errno != EINPROGRESS) return system_error(errno, what, Origin::Upstream);
  if (!Patience(patience).wait(fd.get(), POLLOUT))
    return probe_error(ErrorKind::Timeout, what + " takes too long");
  int failed = 0;
  socklen_t size = sizeof failed;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &failed, &size);
  if (failed != 0) return system_error(failed, what, Origin::Upstream);
  return fd;
}

Result<UniqueFd> connect_to(const ProbeTarget& target) {
  const auto addresses = net::resolve_now(target.host, target.port);
  if (!addresses) return addresses.error();
  auto last = probe_error(ErrorKind::Unreachable, "no address of " + target.host);
  for (const auto& address : *addresses) {
    auto fd = connect_to(address, target.patience);
    if (fd) return fd;
    last = fd.error();
  }
  return last;
}

/// Repeats what OpenSSL wants repeated. Not positive: it failed, or it took too long.
template <class Step>
int patiently(SSL* ssl, Duration time, Step step) {
  const Patience patience(time);
  for (;;) {
    ERR_clear_error();
    const int done = step();
    if (done > 0) return done;
    const int why = SSL_get_error(ssl, done);
    const bool again = (why == SSL_ERROR_WANT_READ && patience.wait(SSL_get_fd(ssl), POLLIN)) ||
                       (why == SSL_ERROR_WANT_WRITE && patience.wait(SSL_get_fd(ssl), POLLOUT));
    if (!again) return done;
  }
}

Result<void> trust_for_probe(SSL_CTX* context, const std::string& ca_file) {
  const bool done = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                    : SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1;
  if (done) return {};
  return config_error(fmt::format("failed to load \"{}\"", ca_file));
}

bool is_for(X509* leaf, const std::string& host) {
  return ip_bytes(host).empty() ? X509_check_host(leaf, host.data(), host.size(), 0, nullptr) == 1
                                : X509_check_ip_asc(leaf, host.c_str(), 0) == 1;
}

void describe_connection(SSL* ssl, const ProbeTarget& target, ProbeReport& report) {
  report.protocol = SSL_get_version(ssl);
  report.cipher = SSL_get_cipher_name(ssl);
  if (const auto group = SSL_get_negotiated_group(ssl); group > 0)
    report.group = name_of_group(ssl, static_cast<int>(group));
  const unsigned char* alpn = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &size);
  report.alpn.assign(reinterpret_cast<const char*>(alpn), size);
  const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i)
    report.chain.push_back(describe(sk_X509_value(chain, i)));
  if (const long verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK)
    report.verification = X509_verify_cert_error_string(verdict);
  if (X509* leaf = SSL_get0_peer_certificate(ssl)) report.name_matches = is_for(leaf, target.host);
}

/// The head of the answer to HEAD /; what came of it when something fails.
std::string ask_head(SSL* ssl, const ProbeTarget& target) {
  const std::string host =
      target.host.find(':') == std::string::npos ? target.host : "[" + target.host + "]";
  const std::string question = fmt::format(
      "HEAD / HTTP/1.1\r\nHost: {}{}\r\nUser-Agent: gatescope\r\nConnection: close\r\n\r\n", host,
      target.port == 443 ? "" : fmt::format(":{}", target.port));
  std::string head;
  if (patiently(ssl, target.patience, [&] {
        return SSL_write(ssl, question.data(), static_cast<int>(question.size()));
      }) <= 0)
    return head;
  char piece[4096];
  while (head.size() < kLongestHead && head.find("\r\n\r\n") == std::string::npos) {
    const int n =
        patiently(ssl, target.patience, [&] { return SSL_read(ssl, piece, sizeof piece); });
    if (n <= 0) break;
    head.append(piece, static_cast<std::size_t>(n));
  }
  return head;
}

void read_head(const std::string& head, ProbeReport& report) {
  const auto lines = split(head, '\n');
  if (lines.empty() || !lines.front().starts_with("HTTP/1.") || lines.front().size() < 12) return;
  if (const auto status = parse_unsigned(lines.front().substr(9, 3)))
    report.status = static_cast<int>(*status);
  for (auto line : lines) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos &&
        equals_ignoring_case(line.substr(0, colon), "Strict-Transport-Security"))
      report.hsts = std::string(trim(line.substr(colon + 1)));
  }
}

}  // namespace

Result<ProbeReport> probe(const ProbeTarget& target) {
  ERR_clear_error();
  const SslCtxPtr context(SSL_CTX_new(TLS_client_method()));
  if (!context) return ssl_error(ErrorKind::Internal, Origin::Internal, "SSL_CTX_new() failed");
  if (auto trusted = trust_for_probe(context.get(), target.ca_file); !trusted)
    return trusted.error();
  // What is bad is reported, so nothing may stand in the way of seeing it.
  SSL_CTX_set_min_proto_version(context.get(), 0);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, judge_later);
  const auto fd = connect_to(target);
  if (!fd) return fd.error();
  const SslPtr ssl(SSL_new(context.get()));
  if (!ssl || SSL_set_fd(ssl.get(), fd->get()) != 1)
    return ssl_error(ErrorKind::Internal, Origin::Internal, "SSL_new() failed");
  if (ip_bytes(target.host).empty()) SSL_set_tlsext_host_name(ssl.get(), target.host.c_str());
  constexpr unsigned char kHttp1[] = "\x08http/1.1";
  SSL_set_alpn_protos(ssl.get(), kHttp1, sizeof kHttp1 - 1);
  if (patiently(ssl.get(), target.patience, [&] { return SSL_connect(ssl.get()); }) <= 0) {
    const auto place = fmt::format("{}:{}", target.host, target.port);
    if (ERR_peek_error() == 0)
      return probe_error(ErrorKind::Timeout,
                         place + " does not shake hands: it closed the connection or said nothing");
    return ssl_error(ErrorKind::Protocol, Origin::Upstream, place + " does not shake hands");
  }
  ProbeReport report;
  describe_connection(ssl.get(), target, report);
  read_head(ask_head(ssl.get(), target), report);
  ERR_clear_error();
  return report;
}

}  // namespace gatescope::tls

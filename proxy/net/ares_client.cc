#include <ares.h>
#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "proxy/net/dns.h"

namespace gatescope::net {

namespace {

// A lost packet costs this much, the next rounds double it: 2, 4, 8, 16 seconds. Whoever asks has
// a deadline of its own (resolver_timeout).
constexpr int kTryMs = 2000;
constexpr int kTries = 4;

Error error_of(int status) {
  switch (status) {
    case ARES_ENOTFOUND:
      return make_error(ErrorKind::NotFound, Origin::Upstream, "3: Host not found");
    case ARES_EFORMERR:
      return make_error(ErrorKind::Protocol, Origin::Upstream, "1: Format error");
    case ARES_ESERVFAIL:
      return make_error(ErrorKind::Unavailable, Origin::Upstream, "2: Server failure");
    case ARES_ENOTIMP:
      return make_error(ErrorKind::Unavailable, Origin::Upstream, "4: Unimplemented");
    case ARES_EREFUSED:
      return make_error(ErrorKind::Refused, Origin::Upstream, "5: Operation refused");
    case ARES_ETIMEOUT:
      return make_error(ErrorKind::Timeout, Origin::Upstream, "110: Operation timed out");
    case ARES_ECONNREFUSED:
      return make_error(ErrorKind::Unreachable, Origin::Upstream, "no name server had an answer");
    case ARES_EBADNAME:
    case ARES_EBADQUERY:
      return make_error(ErrorKind::NotFound, Origin::Upstream, "not a valid name");
    default:
      return make_error(ErrorKind::Protocol, Origin::Upstream, ares_strerror(status));
  }
}

/// DnsClient over c-ares: c-ares asks for descriptors to be watched, the loop tells it what
/// happened. What c-ares calls back waits for the end of the turn, when no function of it is on
/// the stack. Owned by its user.
class AresClient final : public DnsClient,
                         private TimerEvents,
                         private DescriptorEvents,
                         private TurnHook {
 public:
  AresClient(Loop& loop, const std::vector<Endpoint>& servers, DnsEvents& events);
  ~AresClient() override;
  void ask(const std::string& name, DnsType type, std::uint64_t question) override;

  // What c-ares calls.
  void on_socket(int fd, bool readable, bool writable);
  void on_answer(std::uint64_t question, int status, std::span<const unsigned char> message);

 private:
  void on_timer(Timer& timer) override;
  void on_ready(int fd, bool readable, bool writable) override;
  void on_turn_end() override;
  void set_servers(const std::vector<Endpoint>& servers);
  void arm();

  // Constant after construction.
  Loop& loop_;
  DnsEvents& events_;
  const std::unique_ptr<Timer> timer_;
  ares_channel channel_ = nullptr;  // null: it could not be made, every question fails

  bool ending_ = false;
  std::map<int, std::unique_ptr<DescriptorWatch>> watches_;
  std::vector<std::pair<std::uint64_t, Result<DnsAnswer>>> answered_;  // in this turn
};

/// Of one question; c-ares hands it back once.
struct Asked {
  AresClient* client;
  std::uint64_t question;
};

void socket_callback(void* client, ares_socket_t fd, int readable, int writable) noexcept {
  static_cast<AresClient*>(client)->on_socket(fd, readable != 0, writable != 0);
}

void answer_callback(void* argument, int status, int, unsigned char* bytes, int size) noexcept {
  const std::unique_ptr<Asked> asked(static_cast<Asked*>(argument));
  asked->client->on_answer(asked->question, status,
                           {bytes, bytes ? static_cast<std::size_t>(size) : 0});
}

AresClient::AresClient(Loop& loop, const std::vector<Endpoint>& servers, DnsEvents& events)
    : loop_(loop), events_(events), timer_(loop.make_timer(*this)) {
  ares_options options{};
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
  // A failure of the only server is the answer. Of several the next one is asked, and when none is
  // left c-ares tells only that nobody was there.
  if (servers.size() == 1) options.flags |= ARES_FLAG_NOCHECKRESP;
  options.timeout = kTryMs;
  options.tries = kTries;
  options.sock_state_cb = socket_callback;
  options.sock_state_cb_data = this;
  if (ares_init_options(&channel_, &options,
                        ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                            ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS) {
    channel_ = nullptr;
    return;
  }
  set_servers(servers);
}

AresClient::~AresClient() {
  ending_ = true;  // it calls back for every question and socket
  if (channel_) ares_destroy(channel_);
  for (auto& [fd, watch] : watches_)
    loop_.discard(std::move(watch));
}

void AresClient::set_servers(const std::vector<Endpoint>& servers) {
  std::vector<ares_addr_port_node> nodes(servers.size());
  for (std::size_t i = 0; i < servers.size(); ++i) {
    auto& node = nodes[i];
    node.next = i + 1 < nodes.size() ? &nodes[i + 1] : nullptr;
    node.udp_port = node.tcp_port = servers[i].port();
    const bool v6 = servers[i].family() == Endpoint::Family::V6;
    node.family = v6 ? AF_INET6 : AF_INET;
    ::inet_pton(node.family, servers[i].address().c_str(), &node.addr);
  }
  ares_set_servers_ports(channel_, nodes.empty() ? nullptr : nodes.data());
}

void AresClient::ask(const std::string& name, DnsType type, std::uint64_t question) {
  if (!channel_) return on_answer(question, ARES_ENOMEM, {});
  constexpr int kInternet = 1;
  ares_query(channel_, name.c_str(), kInternet, static_cast<int>(type), answer_callback,
             new Asked{this, question});
  arm();
}

void AresClient::on_answer(std::uint64_t question, int status,
                           std::span<const unsigned char> message) {
  if (ending_) return;
  if (status == ARES_SUCCESS) {
    answered_.emplace_back(question, read_dns_answer(message));
  } else if (status == ARES_ENODATA) {
    // The name exists, without such a record; a CNAME alone is told so too.
    auto answer = message.empty() ? Result<DnsAnswer>(DnsAnswer()) : read_dns_answer(message);
    answered_.emplace_back(question, std::move(answer));
  } else {
    answered_.emplace_back(question, error_of(status));
  }
  loop_.at_turn_end(*this);
}

void AresClient::on_turn_end() {
  auto now = std::exchange(answered_, {});
  for (auto& [question, answer] : now)
    events_.on_dns_answer(question, std::move(answer));
}

void AresClient::on_socket(int fd, bool readable, bool writable) {
  auto& watch = watches_[fd];
  if (readable || writable) {
    if (!watch) watch = loop_.watch(fd, *this);
    return watch->set(readable, writable);
  }
  // c-ares closes it next; we may be inside this watch's event.
  if (watch) watch->set(false, false);
  loop_.discard(std::move(watch));
  watches_.erase(fd);
}

void AresClient::on_ready(int fd, bool readable, bool writable) {
  ares_process_fd(channel_, readable ? fd : ARES_SOCKET_BAD, writable ? fd : ARES_SOCKET_BAD);
  arm();
}

void AresClient::on_timer(Timer&) {
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  arm();
}

void AresClient::arm() {
  timeval left{};
  if (!ares_timeout(channel_, nullptr, &left)) return timer_->stop();
  timer_->start(Duration(left.tv_sec * 1000 + left.tv_usec / 1000 + 1));
}

}  // namespace

std::unique_ptr<DnsClient> AresClients::make(Loop& loop, const std::vector<Endpoint>& servers,
                                             DnsEvents& events) {
  return std::make_unique<AresClient>(loop, servers, events);
}

}  // namespace gatescope::net

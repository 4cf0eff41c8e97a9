#include "proxy/keeper_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstring>

#include "proxy/base/text.h"
#include "proxy/inheritance.h"
#include "proxy/main_settings.h"

namespace gatescope::server {

KeeperClient::KeeperClient(UniqueFd socket) : keeper_(::getppid()), socket_(std::move(socket)) {
  const timeval patience{10, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

bool KeeperClient::alive() const {
  return ::getppid() == keeper_;
}

Result<KeeperMessage> KeeperClient::ask(KeeperMessage::Kind kind, std::string text) {
  std::lock_guard lock(mutex_);
  KeeperMessage question;
  question.kind = kind;
  question.number = ++questions_;
  question.text = std::move(text);
  if (auto sent = send_message(socket_.get(), question); !sent) return sent.error();
  auto answer = receive_message(socket_.get());
  // One that came too late belongs to an earlier question
  while (answer && answer->number != question.number)
    answer = receive_message(socket_.get());
  if (answer && answer->kind == KeeperMessage::Kind::Failed)
    return make_error(ErrorKind::Forbidden, Origin::Internal, answer->text);
  if (answer && answer->kind == KeeperMessage::Kind::Busy)
    return make_error(ErrorKind::Busy, Origin::Internal, answer->text);
  return answer;
}

Result<UniqueFd> KeeperClient::listening_socket(const net::Endpoint& endpoint,
                                                const net::ListenOptions& options, unsigned loop) {
  auto answer = ask(KeeperMessage::Kind::Listen, ListenRequest{endpoint, options, loop}.text());
  if (!answer) return answer.error();
  return std::move(answer->fd);
}

Result<std::string> KeeperClient::read_secret(const std::string& path) {
  auto answer = ask(KeeperMessage::Kind::ReadSecret, path);
  if (!answer) return answer.error();
  return std::move(answer->text);
}

Result<UniqueFd> KeeperClient::open_log(const std::string& path) {
  auto answer = ask(KeeperMessage::Kind::OpenLog, path);
  if (!answer) return answer.error();
  return std::move(answer->fd);
}

Result<UniqueFd> KeeperClient::rotate_log(const std::string& path, unsigned) {
  auto answer = ask(KeeperMessage::Kind::RotateLog, path);
  if (!answer) return answer.error();
  return std::move(answer->fd);
}

Result<std::string> KeeperClient::read(const std::string& path) {
  auto own = own_files_.read(path);
  // What anybody may read needs no keeper, and what is not there it cannot read either
  if (own || own.error().kind == ErrorKind::NotFound) return own;
  auto answer = ask(KeeperMessage::Kind::ReadSource, path);
  if (!answer) return answer.error();
  return std::move(answer->text);
}

Result<std::vector<std::string>> KeeperClient::expand(const std::string& pattern) {
  return own_files_.expand(pattern);
}

Result<void> KeeperClient::retain(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names)
    text += name + "\n";
  auto answer = ask(KeeperMessage::Kind::Retain, std::move(text));
  return answer ? Result<void>() : answer.error();
}

Result<void> KeeperClient::ready(bool as_before) {
  auto answer = ask(KeeperMessage::Kind::Ready, as_before ? "as before" : "");
  return answer ? Result<void>() : answer.error();
}

Result<std::string> KeeperClient::task() {
  auto answer = ask(KeeperMessage::Kind::Task, {});
  if (!answer) return answer.error();
  return std::move(answer->text);
}

Result<void> KeeperClient::hand_over(std::string state) {
  auto answer = ask(KeeperMessage::Kind::HandOver, std::move(state));
  return answer ? Result<void>() : answer.error();
}

Result<std::string> KeeperClient::inherited() {
  auto answer = ask(KeeperMessage::Kind::Inherit, {});
  if (!answer) return answer.error();
  return answer->fd ? read_handover(answer->fd.get()) : std::string();
}

std::string ListenRequest::text() const {
  const auto& o = options;
  return fmt::format("{} {} {} {} {} {} {}", loop, o.backlog, int(o.reuse_port), int(o.ipv6_only),
                     int(o.keepalive), o.unix_mode, endpoint.to_string());
}

Result<ListenRequest> ListenRequest::parse(const std::string& text) {
  const auto bad =
      make_error(ErrorKind::Protocol, Origin::Internal, "bad listen request \"" + text + "\"");
  std::string_view rest = text;
  std::uint64_t numbers[6];
  for (auto& number : numbers) {
    const auto blank = rest.find(' ');
    const auto value =
        blank == std::string_view::npos ? std::nullopt : parse_unsigned(rest.substr(0, blank));
    if (!value) return bad;
    number = *value;
    rest.remove_prefix(blank + 1);
  }
  const net::ListenOptions options{.backlog = static_cast<int>(numbers[1]),
                                   .reuse_port = numbers[2] != 0,
                                   .ipv6_only = numbers[3] != 0,
                                   .keepalive = numbers[4] != 0,
                                   .unix_mode = static_cast<unsigned>(numbers[5])};
  if (numbers[0] >= kMaxLoops) return bad;
  const auto loop = static_cast<unsigned>(numbers[0]);
  if (rest.starts_with("unix:")) {
    auto endpoint = net::Endpoint::unix_path(rest.substr(5));
    if (!endpoint) return endpoint.error();
    return ListenRequest{*endpoint, options, loop};
  }
  const auto colon = rest.rfind(':');
  const auto port =
      colon == std::string_view::npos ? std::nullopt : parse_unsigned(rest.substr(colon + 1));
  if (!port || *port > 65535) return bad;
  auto endpoint = net::Endpoint::ip(rest.substr(0, colon), static_cast<std::uint16_t>(*port));
  if (!endpoint) return endpoint.error();
  return ListenRequest{*endpoint, options, loop};
}

}  // namespace gatescope::server

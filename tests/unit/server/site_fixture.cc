#include "tests/unit/server/site_fixture.h"

#include "proxy/base/text.h"
#include "tests/support/http_version.h"

namespace gatescope::test {

KeptClient::KeptClient(SimWorld& world, SimLoop& loop, std::uint16_t port)
    : world_(world), loop_(loop) {
  loop_.turn([&] {
    connecting_ =
        loop_.connect(net::Endpoint::ip("127.0.0.1", port).value(), Duration(1000), *this);
  });
  world_.run_until([this] { return stream_ || ended_; }, Duration(60'000));
}

KeptClient::~KeptClient() {
  loop_.turn([&] {
    if (stream_) stream_->set_events(nullptr);
    loop_.discard(std::move(stream_));
    loop_.discard(std::move(connecting_));
  });
}

void KeptClient::on_connected(std::unique_ptr<net::Stream> stream) {
  stream_ = std::move(stream);
  stream_->set_events(this);
  stream_->start_reading();
}

void KeptClient::send(const std::string& text) {
  loop_.turn([&] {
    ByteQueue bytes;
    bytes.append_copy(text);
    if (stream_) stream_->write(bytes);
  });
}

std::string KeptClient::answer(const std::string& part) {
  world_.run_until([&] { return ended_ || came_.find(part) != std::string::npos; },
                   Duration(60'000));
  return std::exchange(came_, {});
}

Site::Site(const std::string& http, const std::string& main) : main_(main) {
  char pattern[] = "/tmp/gatescope-site-XXXXXX";
  folder_ = ::mkdtemp(pattern);
  std::filesystem::create_directories(folder_ + "/logs");
  std::filesystem::create_directories(folder_ + "/html");
  configure(http);
  if (http.find("acme_issuer") != std::string::npos)
    authority_ = std::make_unique<AcmeAuthority>(loop_);
  server::LaunchOptions options;
  options.prefix = folder_ + "/";
  options.conf_path = folder_ + "/site.conf";
  server_ = std::make_unique<server::Server>(server::World{.loop = loop_,
                                                           .clock = loop_.clock(),
                                                           .files = files_,
                                                           .secrets = secrets_,
                                                           .logs = logs_,
                                                           .sockets = sockets_,
                                                           .more_loops = more_loops_,
                                                           .https = authority_.get(),
                                                           .service = &service_},
                                             options, *this);
  load_error_ = start();
}

Site::~Site() {
  if (load_error_.empty()) {
    loop_.post([this] { server_->stop(); });
    world_.run_until([this] { return stopped_; }, Duration(60'000));
  }
  pace_.reset();
  connecting_.reset();
  stream_.reset();
  server_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string Site::start() {
  std::string error;
  loop_.turn([&] {
    if (auto started = server_->start(); !started) error = started.error().detail;
  });
  return error;
}

void Site::configure(const std::string& http) {
  std::string text = main_ + "\nerror_log logs/error.log info;\nevents { }\nhttp {\n" +
                     (speaks_http2() ? "http2 on;\n" : "") + http + "\n}\n";
  for (std::size_t at; (at = text.find("$folder")) != std::string::npos;)
    text.replace(at, 7, folder_);
  write("site.conf", text);
}

std::optional<Error> Site::reload(const std::string& http) {
  configure(http);
  return reload_file();
}

std::optional<Error> Site::reload_file(const std::string& text) {
  write("site.conf", text);
  return reload_file();
}

std::optional<Error> Site::reload_file() {
  reloaded_ = false;
  loop_.post([this] { server_->reload(); });
  world_.run_until([this] { return reloaded_; }, Duration(60'000));
  return reload_error_;
}

void Site::write(const std::string& name, const std::string& text) {
  const std::filesystem::path path = folder_ + "/" + name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string Site::read(const std::string& name) const {
  std::ifstream file(folder_ + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Site::on_connected(std::unique_ptr<net::Stream> stream) {
  stream_ = std::move(stream);
  stream_->set_events(this);
  stream_->start_reading();
  send_some();
}

void Site::send_some() {
  if (request_.empty() || ended_ || !stream_) return;
  ByteQueue bytes;
  bytes.append_copy(bytewise_ ? request_.substr(0, 1) : request_);
  request_.erase(0, bytes.size());
  stream_->write(bytes);
  if (!request_.empty()) pace_->start(Duration(1));
}

std::string Site::ask_bytewise(const std::string& request, std::uint16_t port) {
  bytewise_ = true;
  auto answer = ask(request, port);
  bytewise_ = false;
  return answer;
}

std::string Site::ask_and_leave(const std::string& request, std::uint16_t port) {
  patience_ = Duration(1000);
  auto answer = ask(request, port);
  patience_ = Duration(300'000);
  return answer;
}

void Site::on_connect_failed(const Error& error) {
  answer_ = "connect failed: " + error.detail;
  ended_ = true;
}

std::string Site::ask_http2(const std::string& request, std::uint16_t port) {
  const auto end = std::min(request.find("\r\n\r\n"), request.size());
  const auto body = request.substr(std::min(end + 4, request.size()));
  Http2Peer peer;
  const auto client = connect(port);
  const auto id = peer.request(http2_fields(request.substr(0, end), "http"), !body.empty());
  if (!body.empty()) peer.send(id, body);
  const auto began = loop_.clock().now();
  while (!peer.answer(id).done() && !client->ended() && loop_.clock().now() - began < patience_) {
    if (const auto bytes = peer.outgoing(); !bytes.empty()) client->send(bytes);
    world_.run_for(Duration(5));
    peer.receive(client->take());
  }
  if (!peer.error().empty()) return "HTTP/2 error: " + peer.error();
  return peer.answer(id).as_text();
}

std::string Site::ask(const std::string& request, std::uint16_t port) {
  if (speaks_http2() && !bytewise_) return ask_http2(request, port);
  request_ = request;
  answer_.clear();
  ended_ = false;
  loop_.turn([&] {
    if (!pace_) pace_ = loop_.make_timer(*this);
    connecting_ =
        loop_.connect(net::Endpoint::ip("127.0.0.1", port).value(), Duration(1000), *this);
  });
  if (!world_.run_until([this] { return ended_; }, patience_))
    answer_ += "(the connection stays open)";
  loop_.turn([&] {
    if (stream_) stream_->set_events(nullptr);
    loop_.discard(std::move(stream_));
    loop_.discard(std::move(connecting_));
  });
  return answer_;
}

std::string Site::get(const std::string& target, const std::string& fields) {
  return ask("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields +
             "Connection: close\r\n\r\n");
}

int status_of_answer(const std::string& answer) {
  if (!answer.starts_with("HTTP/1.1 ")) return 0;
  return static_cast<int>(parse_unsigned(std::string_view(answer).substr(9, 3)).value_or(0));
}

std::string body_of_answer(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

std::string field_of_answer(const std::string& answer, const std::string& name) {
  const auto head = std::string_view(answer).substr(0, answer.find("\r\n\r\n"));
  for (const auto line : split(head, '\n')) {
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && equals_ignoring_case(line.substr(0, colon), name)) {
      auto value = line.substr(colon + 1);
      if (value.ends_with('\r')) value.remove_suffix(1);
      return std::string(trim(value));
    }
  }
  return "(none)";
}

}  // namespace gatescope::test

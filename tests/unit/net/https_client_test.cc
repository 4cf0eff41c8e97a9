#include "proxy/net/https_client.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

#include "tests/unit/net/net_fixture.h"

using namespace gatescope;
using namespace gatescope::net;

namespace {

/// Answers each request head with the raw bytes kept for its path. Closes after it where told to.
class RawServer : AcceptEvents {
 public:
  struct Reply {
    std::string bytes;
    bool close = false;
    bool reset = false;
  };
  explicit RawServer(LoopFixture& f) : loop_(*f.loop) {
    auto made = f.loop->listen(loopback(), {}, *this);
    REQUIRE(made);
    listener_ = std::move(made).value();
  }
  std::string url(const std::string& path) const {
    return "http://" + listener_->local().to_string() + path;
  }
  std::map<std::string, Reply> replies;
  std::vector<std::string> requests;
  int connections = 0;

 private:
  struct Conversation : StreamEvents {
    Conversation(RawServer& server, std::unique_ptr<Stream> s)
        : server(server), stream(std::move(s)) {
      stream->set_events(this);
      stream->start_reading();
    }
    void on_data(std::span<const std::byte> data) override {
      received.append(as_text(data));
      const auto end = received.find("\r\n\r\n");
      if (end == std::string::npos) return;
      if (received.starts_with("POST ") && received.size() < end + 4 + 4) return;  // "body"
      server.requests.push_back(received);
      const auto path = received.substr(received.find(' ') + 1);
      received.clear();
      const auto found = server.replies.find(path.substr(0, path.find(' ')));
      if (found == server.replies.end()) return;  // silence
      if (!found->second.bytes.empty()) send(*stream, found->second.bytes);
      if (found->second.reset) stream->reset_on_close();
      if (found->second.close) finish();
    }
    void on_end() override { finish(); }
    void on_drained() override {}
    void on_failed(const Error&) override { finish(); }
    void finish() {
      if (!stream) return;
      stream->set_events(nullptr);
      server.loop_.discard(std::move(stream));
    }
    RawServer& server;
    std::unique_ptr<Stream> stream;
    std::string received;
  };

  void on_accepted(std::unique_ptr<Stream> stream) override {
    ++connections;
    conversations_.push_back(std::make_unique<Conversation>(*this, std::move(stream)));
  }
  Loop& loop_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<Conversation>> conversations_;
};

struct AnswerRecorder : HttpsEvents {
  void on_answer(HttpsAnswer a) override {
    ++events;
    answer = std::move(a);
    if (leave) transfer.reset();
  }
  void on_request_failed(const Error& e) override {
    ++events;
    error = e;
    if (leave) transfer.reset();
  }
  int events = 0;
  std::optional<HttpsAnswer> answer;
  std::optional<Error> error;
  bool leave = false;
  std::unique_ptr<HttpsTransfer> transfer;
};

HttpsClientSettings direct() {
  HttpsClientSettings settings;
  settings.agent = "gatescope-test";
  settings.use_environment_proxy = false;
  return settings;
}

HttpsRequest get(const std::string& url) {
  HttpsRequest request;
  request.url = url;
  return request;
}

struct ClientFixture : LoopFixture {
  RawServer server{*this};
  std::unique_ptr<HttpsClient> client = HttpsClient::make(*loop, direct());

  void ask(HttpsRequest request, AnswerRecorder& events) {
    events.transfer = client->start(std::move(request), events);
    CHECK(events.events == 0);
    until([&] { return events.events > 0; });
    turns(2);
    CHECK(events.events == 1);
  }
  AnswerRecorder ask(HttpsRequest request) {
    AnswerRecorder events;
    ask(std::move(request), events);
    events.transfer.reset();
    return events;
  }
};

// By the program: Debian's essential packages have it, and this library needs no zlib.
std::string gzip(const std::string& text) {
  const TempFolder folder;
  std::ofstream(folder / "x") << text;
  REQUIRE(std::system(("gzip -9n " + folder / "x").c_str()) == 0);
  std::ifstream in(folder / "x.gz");
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::string with_length(const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("an answer with all its parts, and what was asked") {
  ClientFixture f;
  f.server.replies["/a"] = {with_length("hello", "Content-Type: text/plain\r\nX-Thing:  a b \r\n")};
  HttpsRequest request = get(f.server.url("/a"));
  request.headers = {{"X-Asked", "yes"}, {"X-Empty", ""}};
  const auto events = f.ask(request);
  REQUIRE(events.answer);
  CHECK(events.answer->status == 200);
  CHECK(events.answer->body == "hello");
  CHECK(events.answer->content_type == "text/plain");
  CHECK(events.answer->effective_url == f.server.url("/a"));
  CHECK(events.answer->redirect_url.empty());
  CHECK(events.answer->length_known);
  REQUIRE(events.answer->headers.size() == 3);
  CHECK(events.answer->headers[1] == std::pair<std::string, std::string>("x-thing", "a b"));
  REQUIRE(f.server.requests.size() == 1);
  const std::string& asked = f.server.requests[0];
  CHECK(asked.starts_with("GET /a HTTP/1.1\r\n"));
  CHECK(asked.find("\r\nUser-Agent: gatescope-test\r\n") != std::string::npos);
  CHECK(asked.find("\r\nX-Asked: yes\r\n") != std::string::npos);
  CHECK(asked.find("\r\nX-Empty:\r\n") != std::string::npos);
  CHECK(asked.find("\r\nAccept-Encoding: gzip\r\n") != std::string::npos);
}

TEST_CASE("bodies by every kind of framing") {
  ClientFixture f;
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  struct Case {
    const char* path;
    RawServer::Reply reply;
    const char* body;
    bool known;
  };
  const Case cases[] = {
      {"/chunked", {chunked + "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"}, "abcde", true},
      {"/empty", {with_length("")}, "", true},
      {"/nothing", {"HTTP/1.1 204 No Content\r\n\r\n"}, "", true},
      {"/close", {"HTTP/1.1 200 OK\r\n\r\nuntil the end", true}, "until the end", false},
      {"/early", {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + with_length("ok")}, "ok", true},
      {"/gzip", {with_length(gzip("zipped"), "Content-Encoding: gzip\r\n")}, "zipped", true},
  };
  for (const Case& c : cases) {
    f.server.replies[c.path] = c.reply;
    const auto events = f.ask(get(f.server.url(c.path)));
    INFO(c.path);
    REQUIRE(events.answer);
    CHECK(events.answer->body == c.body);
    CHECK(events.answer->length_known == c.known);
    for (const auto& [name, value] : events.answer->headers) {
      CHECK(name != "x-trailer");
      CHECK(name != "link");
    }
  }
}

TEST_CASE("each way to fail has its kind") {
  ClientFixture f;
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string bomb = gzip(std::string(5u << 20, 'x'));
  const std::string gz = "Content-Encoding: gzip\r\n";
  const std::string many(300, 'h');
  std::string heads = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 1000; ++i)
    heads += "X-" + std::to_string(i) + ": " + many + "\r\n";
  struct Case {
    const char* path;
    RawServer::Reply reply;
    ErrorKind kind;
  };
  const Case cases[] = {
      {"/cut", {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", true}, ErrorKind::Reset},
      {"/cut-chunk", {chunked + "5\r\nab", true}, ErrorKind::Reset},
      {"/no-answer", {"", true}, ErrorKind::Reset},
      {"/reset", {"HTTP/1.1 200 OK\r\n", true, true}, ErrorKind::Reset},
      {"/noise", {"SSH-2.0-x\r\n\r\n", true}, ErrorKind::Protocol},
      {"/large", {with_length(std::string(1001, 'x'))}, ErrorKind::TooLarge},
      {"/large-chunk",
       {chunked + "3e9\r\n" + std::string(1001, 'x') + "\r\n0\r\n\r\n"},
       ErrorKind::TooLarge},
      {"/large-close",
       {"HTTP/1.1 200 OK\r\n\r\n" + std::string(5000, 'x'), true},
       ErrorKind::TooLarge},
      {"/bomb", {"HTTP/1.1 200 OK\r\n" + gz + "\r\n" + bomb, true}, ErrorKind::TooLarge},
      {"/bad-gzip", {with_length("not gzip", gz)}, ErrorKind::Protocol},
      {"/heads", {heads + "\r\n", true}, ErrorKind::TooLarge},
      {"/silent", {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"}, ErrorKind::Timeout},
  };
  for (const Case& c : cases) {
    f.server.replies[c.path] = c.reply;
    HttpsRequest request = get(f.server.url(c.path));
    request.max_body = 1000;
    if (c.kind == ErrorKind::Timeout) request.timeout = Duration(50);
    const auto events = f.ask(request);
    INFO(c.path);
    REQUIRE(events.error);
    INFO(events.error->detail);
    CHECK(events.error->kind == c.kind);
    CHECK(events.error->origin == Origin::Upstream);
    CHECK(events.error->detail.find(c.path) != std::string::npos);
  }
}

TEST_CASE("a body of exactly the limit passes") {
  ClientFixture f;
  f.server.replies["/a"] = {with_length(std::string(1000, 'x'))};
  HttpsRequest request = get(f.server.url("/a"));
  request.max_body = 1000;
  CHECK(f.ask(request).answer);
}

TEST_CASE("where nobody is: refused, unreachable, wrong protocol, never from inside start()") {
  ClientFixture f;
  std::uint16_t port = 0;
  {
    AcceptRecorder accepted;
    port = f.loop->listen(loopback(), {}, accepted)->get()->local().port();
  }
  f.turns(2);
  const std::pair<std::string, ErrorKind> cases[] = {
      {"http://" + loopback(port).to_string() + "/", ErrorKind::Refused},
      {"http://name.invalid/", ErrorKind::Unreachable},
      {"ftp://127.0.0.1/", ErrorKind::Protocol},
      {"file:///etc/passwd", ErrorKind::Protocol},
      {"nonsense://", ErrorKind::Protocol},
      {"", ErrorKind::Protocol},
  };
  for (const auto& [url, kind] : cases) {
    INFO(url);
    const auto events = f.ask(get(url));
    REQUIRE(events.error);
    INFO(events.error->detail);
    CHECK(events.error->kind == kind);
  }
}

TEST_CASE("TLS against a plain server is a protocol error") {
  ClientFixture f;
  std::string url = f.server.url("/");
  url.replace(0, 4, "https");
  HttpsRequest request = get(url);
  request.timeout = Duration(300);  // the server waits for the end of a request that never comes
  const auto events = f.ask(request);
  REQUIRE(events.error);
  CHECK((events.error->kind == ErrorKind::Protocol || events.error->kind == ErrorKind::Timeout));
}

TEST_CASE("a redirect is told, not followed") {
  ClientFixture f;
  f.server.replies["/old"] = {
      "HTTP/1.1 302 Found\r\nLocation: /new?x=1\r\nContent-Length: 0\r\n\r\n"};
  const auto events = f.ask(get(f.server.url("/old")));
  REQUIRE(events.answer);
  CHECK(events.answer->status == 302);
  CHECK(events.answer->redirect_url == f.server.url("/new?x=1"));
  CHECK(f.server.requests.size() == 1);
}

TEST_CASE("methods and bodies") {
  ClientFixture f;
  f.server.replies["/a"] = {with_length("ok")};
  f.server.replies["/head"] = {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"};
  HttpsRequest request = get(f.server.url("/a"));
  request.method = "POST";
  request.body = "body";
  request.headers = {{"Content-Type", "application/jose+json"}};
  CHECK(f.ask(request).answer);
  CHECK(f.server.requests[0].starts_with("POST /a HTTP/1.1\r\n"));
  CHECK(f.server.requests[0].ends_with("\r\n\r\nbody"));
  CHECK(f.server.requests[0].find("\r\nContent-Length: 4\r\n") != std::string::npos);
  CHECK(f.server.requests[0].find("Expect") == std::string::npos);
  HttpsRequest head = get(f.server.url("/head"));
  head.method = "HEAD";
  const auto events = f.ask(head);
  REQUIRE(events.answer);
  CHECK(events.answer->body.empty());
  CHECK(events.answer->length_known);
}

TEST_CASE("one connection serves requests to one host, one after the other") {
  ClientFixture f;
  f.server.replies["/a"] = {with_length("a")};
  f.server.replies["/b"] = {with_length("b")};
  CHECK(f.ask(get(f.server.url("/a"))).answer);
  CHECK(f.ask(get(f.server.url("/b"))).answer);
  AnswerRecorder a, b;  // and two at once
  a.transfer = f.client->start(get(f.server.url("/a")), a);
  b.transfer = f.client->start(get(f.server.url("/b")), b);
  f.until([&] { return a.events == 1 && b.events == 1; });
  CHECK(a.answer->body == "a");
  CHECK(b.answer->body == "b");
  CHECK(f.server.connections == 1);
}

TEST_CASE("destroying the transfer cancels it at any time") {
  ClientFixture f;
  AnswerRecorder events;
  f.client->start(get(f.server.url("/silence")), events).reset();  // before anything
  f.client->start(get("http://localhost:1/"), events).reset();
  AnswerRecorder resolved;  // the resolver may be quicker than we
  auto resolving = f.client->start(get("http://name.invalid/"), resolved);
  f.loop->run_turn();  // the resolver's thread may be at work
  resolving.reset();
  auto waiting = f.client->start(get(f.server.url("/silence")), events);
  f.until([&] { return !f.server.requests.empty(); });
  waiting.reset();
  f.turns(5);
  CHECK(events.events == 0);
  f.server.replies["/a"] = {with_length("a")};
  CHECK(f.ask(get(f.server.url("/a"))).answer);  // the client is as good as new
}

TEST_CASE("a transfer may be destroyed by its own event, and may outlive its client") {
  ClientFixture f;
  f.server.replies["/a"] = {with_length("a")};
  AnswerRecorder events;
  events.leave = true;
  f.ask(get(f.server.url("/a")), events);
  CHECK(events.answer);
  AnswerRecorder late;
  late.transfer = f.client->start(get(f.server.url("/silence")), late);
  f.turns(3);
  f.client.reset();
  f.turns(3);
  CHECK(late.events == 0);
}

TEST_CASE("a proxy is used when one is named") {
  ClientFixture f;
  HttpsClientSettings settings = direct();
  settings.proxy = f.server.url("");
  f.client = HttpsClient::make(*f.loop, settings);
  f.server.replies["http://elsewhere.invalid/x"] = {with_length("by proxy")};
  const auto events = f.ask(get("http://elsewhere.invalid/x"));
  REQUIRE(events.answer);
  CHECK(events.answer->body == "by proxy");
}

#pragma once

// A location with proxy_pass, real Exchanges over a fake link, and scripted upstreams, in a
// simulated world.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "conf/schema.h"
#include "proxy/http/content_filters.h"
#include "proxy/http/core_directives.h"
#include "proxy/http/core_variables.h"
#include "proxy/http/exchange.h"
#include "proxy/http/rewrite.h"
#include "proxy/http/variables.h"
#include "proxy/upstream/upstream_module.h"
#include "tests/support/catch.h"
#include "tests/support/sim_dns.h"
#include "tests/support/sim_loop.h"

namespace gatescope::upstream {

struct RecordingLog final : Log {
  bool enabled(LogLevel level) const override { return level <= LogLevel::Info; }
  void write(LogLevel, std::string_view message) override { text += std::string(message) + "\n"; }
  std::string text;
};

class OneFile final : public conf::FileReader {
 public:
  explicit OneFile(std::string text) : text_(std::move(text)) {}
  Result<std::string> read(const std::string&) override { return text_; }
  Result<std::vector<std::string>> expand(const std::string& pattern) override {
    return std::vector{pattern};
  }

 private:
  std::string text_;
};

/// What a client would see of one exchange, and its behaviour as asked for.
class FakeLink final : public http::ExchangeLink {
 public:
  Arena& arena() override { return arena_; }
  void set_policy(const http::ExchangePolicy&) override {}
  void send_informational(int status, const http::HeaderList& headers) override {
    seen += std::to_string(status) + dump(headers) + " ";
  }
  void send_head(const http::ResponseHead& head) override {
    status = head.status;
    length = head.content_length;
    type = head.content_type;
    location = head.location;
    headers = dump(head.headers);
  }
  Flow send_body(SharedBytes bytes) override {
    body += bytes.text();
    return flow;
  }
  void send_end(const http::HeaderList& with) override {
    ended = true;
    trailers = dump(with);
  }
  void cut(bool) override { was_cut = true; }
  void want_body(bool wanted) override { wants = wanted; }
  std::unique_ptr<http::ByteTunnel> take_tunnel() override { return std::move(tunnel); }
  std::uint64_t bytes_sent() const override { return body.size(); }
  std::uint64_t bytes_received() const override { return 0; }

  static std::string dump(const http::HeaderList& list) {
    std::string text;
    for (const auto& f : list)
      text += "{" + std::string(f.name) + "=" + std::string(f.value) + "}";
    return text;
  }
  /// "200 length=2 {X=1} body end"
  std::string summary() const {
    std::string text = seen + std::to_string(status);
    if (length) text += " length=" + std::to_string(*length);
    text += headers.empty() ? "" : " " + headers;
    text += " '" + body + "'";
    if (!trailers.empty()) text += " trailers " + trailers;
    return text + (was_cut ? " cut" : ended ? " end" : " open");
  }

  Flow flow = Flow::GoOn;
  bool wants = false, ended = false, was_cut = false;
  int status = 0;
  std::optional<std::uint64_t> length;
  std::string seen, type, location, headers, body, trailers;
  std::unique_ptr<http::ByteTunnel> tunnel;

 private:
  Arena arena_;
};

/// A server behind the proxy, played by the test.
class FakeUpstream final : private net::AcceptEvents {
 public:
  class Connection final : public net::StreamEvents {
   public:
    Connection(test::SimLoop& loop, std::unique_ptr<net::Stream> stream)
        : loop_(loop), stream_(std::move(stream)) {
      stream_->set_events(this);
      stream_->start_reading();
    }
    void on_data(std::span<const std::byte> data) override {
      received += as_text(data);
      ++reads;
      if (!reply.empty()) write(std::exchange(reply, always ? reply : ""));
    }
    void on_end() override { ended = true; }
    void on_drained() override {}
    void on_failed(const Error&) override { ended = true; }
    void write(std::string_view text) {
      ByteQueue bytes;
      bytes.append_copy(text);
      (void)stream_->write(bytes);
    }
    void send(std::string_view text) {
      loop_.turn([&] { write(text); });
    }
    void hold(bool held) {
      loop_.turn([&] { held ? stream_->stop_reading() : stream_->start_reading(); });
    }
    void close() {
      loop_.turn([&] {
        stream_->set_events(nullptr);
        loop_.discard(std::move(stream_));
      });
    }
    void finish() {
      loop_.turn([&] { stream_->shut_down(); });
    }
    std::size_t unsent() const { return stream_->unsent(); }
    bool open() const { return stream_ != nullptr; }
    std::string received, reply;
    bool ended = false;
    bool always = false;  // replies to all that comes, not to the first only
    int reads = 0;

   private:
    test::SimLoop& loop_;
    std::unique_ptr<net::Stream> stream_;
  };

  FakeUpstream(test::SimLoop& loop, std::uint16_t port, const std::string& address = "127.0.0.1")
      : loop_(loop) {
    loop.turn([&] {
      auto listener = loop.listen(*net::Endpoint::ip(address, port), {}, *this);
      if (listener) listener_ = std::move(*listener);
    });
  }
  ~FakeUpstream() {
    loop_.turn([&] {
      connections.clear();
      listener_.reset();
    });
  }
  Connection& last() { return *connections.back(); }
  std::vector<std::unique_ptr<Connection>> connections;
  std::string reply;    // of each connection to its first bytes
  bool always = false;  // and to all that follow

 private:
  void on_accepted(std::unique_ptr<net::Stream> stream) override {
    connections.push_back(std::make_unique<Connection>(loop_, std::move(stream)));
    connections.back()->reply = reply;
    connections.back()->always = always;
  }
  test::SimLoop& loop_;
  std::unique_ptr<net::Listener> listener_;
};

/// One request through a Site. Destroyed like by a session.
class Client {
 public:
  explicit Client(test::SimLoop& loop) : loop_(loop) {}
  ~Client() {
    loop_.turn([&] {
      if (!exchange) return;
      exchange->on_over();
      loop_.discard(std::move(exchange));
    });
  }
  void body(std::string_view text) {
    loop_.turn([&] { exchange->on_body(as_bytes(text)); });
  }
  void body_end() {
    loop_.turn([&] { exchange->on_body_end({}); });
  }
  void writable() {
    loop_.turn([&] {
      link.flow = Flow::GoOn;
      exchange->on_writable();
    });
  }
  void leave() {
    loop_.turn([&] {
      exchange->on_client_gone(make_error(ErrorKind::Closed, Origin::Client, "client left"));
      exchange->on_over();
    });
  }
  std::string value(http::VariableTable& variables, std::string_view name) {
    return std::string(exchange->value(*variables.find(name)).value_or("(none)"));
  }
  FakeLink link;
  std::unique_ptr<http::Exchange> exchange;

 private:
  test::SimLoop& loop_;
};

struct Get {
  std::string_view method = "GET", target = "/";
  std::vector<std::pair<std::string_view, std::string_view>> headers = {};
  std::optional<std::uint64_t> length = {};
  bool has_body = false;
};

/// A configuration's only server, and the world it lives in.
class Site {
 public:
  /// `locations`: what stands in the server block; `outside` and `behind`: around it.
  explicit Site(std::string_view locations, std::string_view outside = "",
                std::string_view behind = "") {
    load(locations, outside, behind);
  }
  /// Another configuration, as a reload brings it; requests from now on see it.
  void load(std::string_view locations, std::string_view outside = "",
            std::string_view behind = "") {
    loaded_.push_back(std::make_unique<Loaded>());
    error = build(std::string("http { ") + std::string(outside) + " server { " +
                  std::string(locations) + " } " + std::string(behind) + " }");
    if (!error.empty()) return;
    loop.turn([&] {
      module.apply(loop, {std::shared_ptr<void>(), loaded_.back()->main.get()},
                   {std::shared_ptr<void>(), &log});
    });
  }
  ~Site() {
    loop.turn([&] { module.forget_loop(loop); });
    for (const auto& complaint : world.complaints())
      FAIL_CHECK(complaint);  // a rule of net's interfaces was broken
  }

  std::unique_ptr<Client> send(Get get) {
    REQUIRE(error.empty());
    auto client = std::make_unique<Client>(loop);
    http::RequestHead head;
    auto& arena = client->link.arena();
    head.method = arena.copy(get.method);
    head.target = arena.copy(get.target);
    head.line = arena.join({get.method, " ", get.target, " HTTP/1.1"});
    head.headers.add("Host", "site.test");
    for (const auto& [name, value] : get.headers)
      head.headers.add(name, value);
    head.content_length = get.length;
    head.has_body = get.has_body || get.length.value_or(0) > 0;
    loop.turn([&] {
      client->exchange = std::make_unique<http::Exchange>(context, address, info, client->link,
                                                          std::move(head), nullptr);
      client->exchange->start();
    });
    return client;
  }
  void run(Duration time = Duration(50)) { world.run_for(time); }
  /// Of the clients from now on.
  void set_addresses(const net::Endpoint& client, const net::Endpoint& local) {
    info.client = client;
    info.local = local;
  }

  test::SimWorld world{7};
  test::SimLoop loop{world};
  RecordingLog log;
  http::VariableTable variables;
  test::SimDns dns;
  UpstreamModule module{nullptr, &dns};
  std::string error;
  const conf::Scope* scope = nullptr;  // of the last location

 private:
  std::string build(std::string text) {
    if (loaded_.size() == 1) {
      variables.add(http::core_variables());
      variables.add(UpstreamModule::variables());
    }
    auto& [schema, held, main, server] = *loaded_.back();
    module.begin_load();
    http::add_core_directives(schema);
    http::add_rewrite_directives(schema);
    module.add_directives(schema);
    OneFile file(std::move(text));
    auto document = conf::parse_file("/c", {}, file);
    if (!document) return document.error().detail;
    held = std::move(*document);
    conf::Loader loader(schema, "/p", "/etc");
    loader.provide(variables);
    loader.provide(module);
    main = std::make_unique<conf::Scope>(nullptr, conf::Context::Main, nullptr);
    if (auto done = loader.load(held->directives, *main); !done) return done.error().detail;
    schema.resolve(*main);
    for (const auto& block : main->children().front()->children())
      if (block->context() == conf::Context::Server)
        if (auto e = build_server(*block, server); !e.empty()) return e;
    return "";
  }
  std::string build_server(conf::Scope& block, http::VirtualServer& server) {
    server.name = "site.test";
    server.scope = &block;
    server.root.scope = &block;
    server.root.core = &block.get<http::CoreSettings>();
    for (const auto& child : block.children()) {
      if (child->context() != conf::Context::Location) continue;
      auto pattern = http::location_pattern(*child->opened_by());
      if (!pattern) return pattern.error().detail;
      auto location = std::make_unique<http::Location>();
      location->pattern = pattern->text;
      location->scope = scope = child.get();
      location->core = &child->get<http::CoreSettings>();
      if (auto step = http::make_rewrite_step(*child)) location->rewrite.push_back(std::move(step));
      REQUIRE(http::add_content_filters(*child, *location));
      if (location->core->handler_maker) {
        auto handler = location->core->handler_maker->make(*child);
        if (!handler) return handler.error().detail;
        location->handler = std::move(*handler);
      }
      if (pattern->match == http::LocationPattern::Match::Named) {
        location->kind = http::Location::Kind::Named;
        server.named[pattern->text] = std::move(location);
      } else if (pattern->match == http::LocationPattern::Match::Exact) {
        server.root.exact.push_back(std::move(location));
      } else {
        server.root.prefixes.push_back(std::move(location));
      }
    }
    address.names.set_default(server);
    info.client_address = "10.1.2.3";
    return "";
  }

  struct Loaded {
    conf::Schema schema;
    std::unique_ptr<conf::Document> document;
    std::unique_ptr<conf::Scope> main;
    http::VirtualServer server;
  };
  std::vector<std::unique_ptr<Loaded>> loaded_;  // the last one serves
  http::ListenAddress address;
  http::ConnectionInfo info;
  http::ExchangeContext context{loop, variables, log, nullptr,
                                std::make_shared<http::BodyFiles>(loop)};
};

inline constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

}  // namespace gatescope::upstream

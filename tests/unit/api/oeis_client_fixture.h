#pragma once

// An OeisClient whose transfers the test answers, in a simulated world.

#include <fstream>
#include <iterator>
#include <list>
#include <optional>
#include <vector>

#include "api/oeis_client.h"
#include "proxy/base/text.h"
#include "tests/support/catch.h"
#include "tests/support/sim_loop.h"
#include "tests/unit/api/api_fixture.h"

namespace gatescope::api::oeis_test {

using Kind = OeisFailure::Kind;

/// Requests wait for the test to answer them.
struct FakeHttps final : net::HttpsClient {
  struct Transfer : net::HttpsTransfer {
    Transfer(FakeHttps& o, net::HttpsEvents& e) : owner(o), events(e) {
      owner.alive.push_back(this);
    }
    ~Transfer() override { std::erase(owner.alive, this); }
    /// Once: it is not alive any more then, though its owner may keep it.
    net::HttpsEvents& take_events() {
      std::erase(owner.alive, this);
      return events;
    }
    FakeHttps& owner;
    net::HttpsEvents& events;
  };
  std::vector<net::HttpsRequest> requests;
  std::vector<Transfer*> alive;  // the newest last
  std::unique_ptr<net::HttpsTransfer> start(net::HttpsRequest request,
                                            net::HttpsEvents& events) override {
    requests.push_back(std::move(request));
    return std::make_unique<Transfer>(*this, events);
  }
};

inline net::HttpsAnswer good(std::string body) {
  net::HttpsAnswer answer;
  answer.status = 200;
  answer.content_type = "text/plain; charset=utf-8";
  answer.length_known = true;
  answer.body = std::move(body);
  return answer;
}

inline net::HttpsAnswer with_status(int status, std::string retry_after = "") {
  auto answer = good("You are crawling too fast.  Come back in a few minutes.");
  answer.status = status;
  answer.headers = {{"content-type", answer.content_type}};
  if (!retry_after.empty()) answer.headers.emplace_back("retry-after", retry_after);
  return answer;
}

inline net::HttpsAnswer moved(std::string to) {
  net::HttpsAnswer answer;
  answer.status = 301;
  answer.redirect_url = std::move(to);
  return answer;
}

struct Asked {
  std::optional<OeisAnswer> answer;
  std::unique_ptr<Oeis::Fetch> fetch;
  bool ok() const { return answer && std::holds_alternative<std::string>(*answer); }
  const OeisFailure& failure() const {
    REQUIRE(answer);
    return std::get<OeisFailure>(*answer);
  }
};

struct Fixture {
  test::SimWorld world{1};
  test::SimLoop loop{world};
  FakeHttps https;
  MemoryLog log;
  OpenFolder folder;
  ApiLog api_log{loop.clock()};
  std::unique_ptr<LogFile> file = std::move(*LogFile::open(folder / "api.log", {}));
  Stats stats;
  OeisClient client;
  std::list<Asked> all;

  explicit Fixture(OeisClientSettings settings = {.agent = "numberscope/1.0 (+https://x)"})
      : client(loop, https, std::move(settings), log, api_log, &stats) {
    api_log.write_to(file.get(), nullptr);
  }
  ~Fixture() {
    loop.turn([&] { all.clear(); });
    world.run_for(Duration(100));
    CHECK(world.complaints().empty());
  }
  Asked& ask(unsigned number = 153080, Urgency urgency = Urgency::User) {
    Asked& asked = all.emplace_back();
    loop.turn([&] {
      asked.fetch = client.fetch_bfile(SequenceId(number), urgency,
                                       [&asked](OeisAnswer a) { asked.answer = std::move(a); });
      CHECK(!asked.answer);
    });
    return asked;
  }
  Asked& ask_background(unsigned number) { return ask(number, Urgency::Background); }
  /// The oldest question that OEIS is answering.
  void answer(net::HttpsAnswer with) {
    REQUIRE(!https.alive.empty());
    loop.turn([&] { https.alive.front()->take_events().on_answer(std::move(with)); });
  }
  void fail(ErrorKind kind) {
    REQUIRE(!https.alive.empty());
    loop.turn([&] {
      https.alive.back()->take_events().on_request_failed(
          make_error(kind, Origin::Upstream, "curl 28"));
    });
  }
  const net::HttpsRequest& last() const { return https.requests.back(); }
  std::string events() const {
    std::ifstream in(folder / "api.log");
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  bool logged(std::string_view part) const { return events().find(part) != std::string::npos; }
};

}  // namespace gatescope::api::oeis_test

// The real gatescope-factor behind the service: the contract's table, cell by cell, and how it
// behaves when a worker is killed.

#include <signal.h>

#include <filesystem>

#include "api/factor_service.h"
#include "proxy/net/uv_loop.h"
#include "tests/support/catch.h"

namespace gatescope::api {

namespace {

class QuietLog final : public Log {
 public:
  bool enabled(LogLevel) const override { return true; }
  void write(LogLevel, std::string_view message) override { text += std::string(message) + "\n"; }
  std::string text;
};

struct Heard final : FactorEvents {
  void on_factored(SequenceId, std::shared_ptr<const Terms>,
                   std::shared_ptr<const Terms> factors) override {
    last = std::move(factors);
  }
  std::shared_ptr<const Terms> last;
};

std::shared_ptr<const Terms> terms_of(const std::vector<std::string>& texts) {
  auto terms = std::make_shared<Terms>();
  for (const auto& text : texts)
    terms->add(text);
  return terms;
}

/// A loop, a service, and workers beside the test program.
struct World {
  World() {
    service.use({.program = (std::filesystem::read_symlink("/proc/self/exe").parent_path() /
                             "gatescope-factor")
                                .string(),
                 .workers = 1});
  }
  ~World() {
    service.stop();
    loop->run_turn();
  }
  std::shared_ptr<const Terms> factor(const std::vector<std::string>& texts) {
    std::shared_ptr<const Terms> got;
    const auto request = service.factor(
        {*SequenceId::parse("A000001"), terms_of(texts), nullptr}, texts.size(), Duration(60'000),
        [&](std::shared_ptr<const Terms> factors) { got = factors; });
    while (!got)
      loop->run_turn();
    return got;
  }

  QuietLog log;
  net::OwnSockets sockets;
  Heard heard;
  std::unique_ptr<net::UvLoop> loop = net::UvLoop::make(sockets, log);
  FactorService service{*loop, log, heard, {}, nullptr};
};

}  // namespace

TEST_CASE("factors are written as the old service wrote them") {
  const std::string two512 =
      "13407807929942597099574024998205846127479365820592393377723561443721764030073546976801874298"
      "16"
      "6903427690031858186486050853753882811946569946433649006084096";
  const std::string above =
      "13407807929942597099574024998205846127479365820592393377723561443721764030073546976801874298"
      "16"
      "6903427690031858186486050853753882811946569946433649006084097";
  const std::string two513 =
      "26815615859885194199148049996411692254958731641184786755447122887443528060147093953603748596"
      "33"
      "3806855380063716372972101707507765623893139892867298012168192";
  const std::vector<std::pair<std::string, std::string>> table = {
      {"0", "[0, 1]"},
      {"1", "[]"},
      {"-1", "[-1,1]"},
      {"97", "[97,1]"},
      {"8", "[2,3]"},
      {"12", "[2,2;3,1]"},
      {"360", "[2,3;3,2;5,1]"},
      {"-2", "[2,1;-1,1]"},
      {"-12", "[2,2;3,1;-1,1]"},
      {"-120", "[2,3;3,1;5,1;-1,1]"},
      {"4294967296", "[2,32]"},
      {"-4294967296", "[2,32;-1,1]"},
      {"4294967297", "[641, 1; 6700417, 1]"},
      {"-4294967297", "[-1, 1; 641, 1; 6700417, 1]"},
      {"2305843009213693951", "[2305843009213693951, 1]"},
      {"4611686014132420609", "[2147483647, 2]"},
      {"-36893488147419103232", "[-1, 1; 2, 65]"},
      {two512, "[2, 512]"},
      {"-" + two512, "[-1, 1; 2, 512]"},
      {above, "no_fac"},
      {"-" + above, "no_fac"},
      {two513, "no_fac"},
  };
  std::vector<std::string> numbers;
  for (const auto& [number, factors] : table)
    numbers.push_back(number);
  World world;
  const auto got = world.factor(numbers);
  REQUIRE(got->size() == table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    INFO(table[i].first);
    CHECK((*got)[i] == table[i].second);
  }
}

TEST_CASE("72 identical requests are one computation") {
  World world;
  std::vector<std::string> fibonacci = {"1", "1"};
  unsigned long long a = 1, b = 1;
  while (fibonacci.size() < 90) {
    const auto next = a + b;
    a = b;
    b = next;
    fibonacci.push_back(std::to_string(b));
  }
  const auto terms = terms_of(fibonacci);
  int answered = 0;
  std::vector<std::unique_ptr<Factoring::Request>> requests;
  for (int i = 0; i < 72; ++i)
    requests.push_back(
        world.service.factor({*SequenceId::parse("A000045"), terms, nullptr}, terms->size(),
                             Duration(60'000), [&](std::shared_ptr<const Terms> factors) {
                               ++answered;
                               CHECK((*factors)[89].find("no_fac") == std::string_view::npos);
                             }));
  CHECK(world.service.sequences() == 1);
  while (answered < 72)
    world.loop->run_turn();
}

TEST_CASE(
    "what is over the deadline is answered as far as it came, and one hard number hides none") {
  World world;
  // A product of two primes of 40 digits, and easy ones around it.
  const auto terms = terms_of(
      {"6", "2000000000000000000000000000000000000000000000000000000000000000000000000000000", "10",
       "1427819343272802604929857457555753432106234935254356265676646970409287468835467937121244438"
       "2"
       "2988213420934503989070969760024588075985357351721266575041311716849071730866595051439203000"
       "85"
       "8088096472567903843785537802828942397518986200411433833170647271369036347709363985185479005"
       "12"
       "7"});
  std::shared_ptr<const Terms> got;
  const auto request = world.service.factor(
      {*SequenceId::parse("A000002"), terms, nullptr}, terms->size(), Duration(3000),
      [&](std::shared_ptr<const Terms> factors) { got = factors; });
  while (!got)
    world.loop->run_turn();
  CHECK((*got)[0] == "[2,1;3,1]");
  CHECK((*got)[2] == "[2,1;5,1]");
}

TEST_CASE("without workers what is open stays so, at once") {
  World world;
  world.service.use({});
  const auto got = world.factor({"6", "10"});
  CHECK((*got)[0] == kNoFactorsYet);
}

}  // namespace gatescope::api

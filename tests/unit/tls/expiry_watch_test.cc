// How long served certificates last, and who is told: in virtual time.

#include "certs/expiry_watch.h"

#include "tests/unit/tls/tls_fixture.h"

namespace gatescope::tls::test {
namespace {

using std::chrono::hours;

constexpr hours kOneDay{24};

class NotedLines final : public Log {
 public:
  bool enabled(LogLevel) const override { return true; }
  void write(LogLevel level, std::string_view message) override {
    lines.push_back(fmt::format("[{}] {}", name_of(level), message));
  }
  std::vector<std::string> lines;
};

struct ExpiryWorld {
  /// A certificate that begins now.
  ServedCertificate certificate(const std::string& name, hours lifetime) {
    const KeyPtr key = new_key();
    const auto x509 = *issue_certificate(
        {.common_name = name, .names = {name}, .not_before = now, .lifetime = lifetime}, key.get());
    return {.info = describe(x509.get()), .source = "/" + name + ".pem", .problem = {}};
  }
  /// Every ten minutes of that long.
  void pass(hours time) {
    for (const auto end = now + time; now < end; now += std::chrono::minutes(10))
      watch.look(served, now, log);
  }
  std::int64_t stat(std::string_view name) {
    const StatValues values(stats.samples());
    return values.has(name) ? values.sum(name) : -1000;
  }
  /// The levels of the lines, and the days that they say.
  std::string said() {
    std::string all;
    for (const auto& line : std::exchange(log.lines, {})) {
      const auto at = line.find("ends in ");
      const auto what =
          at == std::string::npos
              ? std::string(line.find("HAS EXPIRED") != std::string::npos ? "expired" : line)
              : line.substr(at + 8, line.find(',', at) - at - 8);
      all += line.substr(0, line.find(']') + 1) + " " + what + "\n";
    }
    return all;
  }

  WallTime now{std::chrono::seconds(1'800'000'000)};
  Stats stats;
  NotedLines log;
  ExpiryWatch watch{stats};
  std::vector<ServedCertificate> served;
};

}  // namespace

TEST_CASE("a certificate that nobody renews is said at 30, 14, 7, 3, 1 days and at its end, once") {
  ExpiryWorld w;
  w.served.push_back(w.certificate("a.test", 90 * kOneDay));
  w.pass(95 * kOneDay);
  CHECK(w.said() ==
        "[notice] 30 days\n[warn] 14 days\n[error] 7 days\n[crit] 3 days\n[crit] 24 hours\n"
        "[crit] expired\n");
}

TEST_CASE("what is said of a certificate has its names, its file, its issuer and the date") {
  ExpiryWorld w;
  w.served.push_back(w.certificate("a.test", 90 * kOneDay));
  w.pass(61 * kOneDay);
  CHECK(w.log.lines ==
        std::vector<std::string>{"[notice] the certificate for a.test (\"/a.test.pem\", issued by "
                                 "a.test) ends in 30 days, at 2027-04-15 08:00:00 UTC"});
}

TEST_CASE("a start with few days left says so once, and a renewed certificate begins anew") {
  ExpiryWorld w;
  w.served.push_back(w.certificate("a.test", 90 * kOneDay));
  w.now += 85 * kOneDay;
  w.pass(kOneDay);
  CHECK(w.said() == "[error] 5 days\n");
  w.served[0] = w.certificate("a.test", 90 * kOneDay);
  w.pass(59 * kOneDay);
  CHECK(w.said() == "");
  w.pass(2 * kOneDay);
  CHECK(w.said() == "[notice] 30 days\n");
}

TEST_CASE("marks of a certificate that lasts six days are those below half of that") {
  ExpiryWorld w;
  w.served.push_back(w.certificate("short.test", 6 * kOneDay));
  w.pass(2 * kOneDay);
  CHECK(w.watch.health().good());
  w.pass(5 * kOneDay);
  CHECK(w.said() == "[crit] 3 days\n[crit] 24 hours\n[crit] expired\n");
}

TEST_CASE("health of certificates: degraded below seven days, or below a sixth of a short life") {
  struct Case {
    hours lifetime, age;
    bool good;
    std::int64_t days;
  };
  const Case kCases[] = {
      {90 * kOneDay, hours(0), true, 90},
      {90 * kOneDay, 82 * kOneDay, true, 8},
      {90 * kOneDay, 83 * kOneDay + hours(1), false, 6},
      {90 * kOneDay, 90 * kOneDay + hours(1), false, -1},
      {6 * kOneDay, 4 * kOneDay, true, 2},
      {6 * kOneDay, 5 * kOneDay + hours(1), false, 0},
  };
  for (const auto& c : kCases) {
    CAPTURE(c.lifetime.count(), c.age.count());
    ExpiryWorld w;
    w.served.push_back(w.certificate("a.test", c.lifetime));
    w.now += c.age;
    w.watch.look(w.served, w.now, w.log);
    CHECK(w.watch.health().good() == c.good);
    CHECK(w.watch.health().days_left == c.days);
    CHECK(w.stat("certificate_days_left") == c.days);
    CHECK(w.stat("certificates_in_trouble") == (c.good ? 0 : 1));
    CHECK(w.stat("certificates") == 1);
  }
}

TEST_CASE("of several certificates the one that ends first is shown, and none is no trouble") {
  ExpiryWorld w;
  w.watch.look(w.served, w.now, w.log);
  CHECK(w.watch.health().good());
  CHECK(w.watch.health().line() == "");
  w.served.push_back(w.certificate("a.test", 90 * kOneDay));
  w.watch.look(w.served, w.now, w.log);
  CHECK(w.watch.health().line() == "certificate a.test: 90 days left");
  w.served.push_back(w.certificate("b.test", 40 * kOneDay));
  w.served.push_back(w.certificate("c.test", 60 * kOneDay));
  w.served[0].problem = "the key does not fit";
  w.watch.look(w.served, w.now, w.log);
  CHECK(w.watch.health().line() == "3 certificates, the first to end is b.test: 40 days left");
  CHECK(w.stat("certificates_refused") == 1);
  w.served = {w.certificate("a.test", 90 * kOneDay)};
  w.served[0].source = "$acme_certificate:le/a.test-1234";  // self-signed, of ours
  w.watch.look(w.served, w.now, w.log);
  CHECK_FALSE(w.watch.health().good());
  CHECK(w.watch.health().line() == "certificate a.test: a temporary certificate");
}

TEST_CASE("what a certificate store serves: names, issuer, key and source, each once") {
  World w;
  CertificateStore store(w.secrets, w.tickets, w.caches);
  TlsSettings settings;
  settings.pairs.push_back(w.authority.add(w.secrets, "/rsa", "both.test", true));
  settings.pairs.push_back(w.authority.add(w.secrets, "/ec", "both.test"));
  const auto one = store.open(settings), two = store.open(settings);
  REQUIRE(one);
  REQUIRE(two);
  CHECK(store.served().empty());  // their configuration does not serve yet
  store.set_current({*one, *two});
  auto served = store.served();
  REQUIRE(served.size() == 2);
  std::ranges::sort(served, {}, &ServedCertificate::source);
  CHECK(served[0].source == "/ec.pem");
  CHECK(served[0].info.key == "ECDSA 256");
  CHECK(served[1].source == "/rsa.pem");
  CHECK(served[1].info.key == "RSA 2048");
  CHECK(served[1].info.issuer == "Root");
  CHECK(served[1].info.names == std::vector<std::string>{"both.test"});
  CHECK(served[1].info.self_signed == false);
  NotedLines log;
  w.secrets.files["/ec.pem"] = "broken";
  store.look(log);
  served = store.served();
  CHECK(served.size() == 2);
  CHECK(served[0].problem.find("/ec.pem") != std::string::npos);
  store.set_current({});
  CHECK(store.served().empty());
}

}  // namespace gatescope::tls::test

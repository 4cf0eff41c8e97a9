// An address that somebody else has, maybe only for a moment.

#include "proxy/net/patient_sockets.h"

#include "tests/support/catch.h"
#include "tests/unit/net/net_fixture.h"

using namespace gatescope;
using namespace gatescope::net;

namespace {

/// Its answers to the first `times` questions are `error`.
class RefusingSockets final : public SocketSource {
 public:
  RefusingSockets(int times, ErrorKind kind) : times_(times), kind_(kind) {}
  Result<UniqueFd> listening_socket(const Endpoint&, const ListenOptions&, unsigned) override {
    if (asked++ < times_) return make_error(kind_, Origin::Internal, "no");
    return UniqueFd();
  }
  Result<void> retain(const std::vector<std::string>&) override { return {}; }
  int asked = 0;

 private:
  const int times_;
  const ErrorKind kind_;
};

struct Asking {
  Asking(int times, ErrorKind kind) : source(times, kind) {}
  Result<UniqueFd> ask() {
    return sockets.listening_socket(Endpoint::ip("127.0.0.1", 80).value(), {});
  }
  RefusingSockets source;
  RecordingLog log;
  std::vector<int> slept;
  PatientSockets sockets{
      source, log, [this](Duration pause) { slept.push_back(static_cast<int>(pause.count())); }};
};

}  // namespace

TEST_CASE("an address that is free is asked for once, and nothing is said") {
  Asking asking(0, ErrorKind::Busy);
  CHECK(asking.ask());
  CHECK(asking.source.asked == 1);
  CHECK(asking.slept.empty());
  CHECK(asking.log.lines().empty());
}

TEST_CASE("an address in use is asked for again until it is free, and that is said once") {
  Asking asking(3, ErrorKind::Busy);
  CHECK(asking.ask());
  CHECK(asking.slept == std::vector{50, 100, 200});
  CHECK(asking.log.lines().size() == 1);
}

TEST_CASE("an address that stays in use is an error after two seconds and a half") {
  Asking asking(1000, ErrorKind::Busy);
  const auto got = asking.ask();
  REQUIRE(!got);
  CHECK(got.error().detail == "no");
  CHECK(asking.slept == std::vector{50, 100, 200, 400, 800, 950});
}

TEST_CASE("another error than an address in use is not tried again") {
  Asking asking(1000, ErrorKind::System);
  CHECK(!asking.ask());
  CHECK(asking.source.asked == 1);
}

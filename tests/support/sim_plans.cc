#include "tests/support/sim_plans.h"

#include <cstdlib>

namespace gatescope::test {

SimFaults sim_faults(SimWeather weather, SimRandom& random) {
  SimFaults f;
  f.latency = {Micros(10), Micros(random.between(10, 30'000))};
  f.fragment = random.chance(0.7) ? 0.4 : 0;
  f.stall = random.chance(0.3) ? 0.02 : 0;
  f.bytewise = 0.1;
  f.bytewise_limit = 600;
  f.slow_reader = 0.1;
  f.slow_window = {1000, 8000};
  f.timer_late = {Micros(0), Micros(random.between(0, 5000))};
  f.post_after = {Micros(0), Micros(1000)};
  f.busy = random.chance(0.5) ? 0.1 : 0;
  f.busy_for = {Micros(1), Micros(random.between(1, 20'000))};
  if (weather == SimWeather::Kind) return f;
  f.refuse = f.no_answer = 0.02;
  f.cut = 0.2;
  f.stall_for_ever = 0.08;
  f.half_close_by_client = 0.05;
  f.half_close_by_server = 0.02;
  return f;
}

std::string sim_text(SimRandom& random, std::size_t size) {
  std::string text(size, '\0');
  for (char& c : text)
    c = static_cast<char>('0' + random.next() % 70);
  return text;
}

const std::vector<std::string>& sim_garbage() {
  static const std::vector<std::string> kGarbage{
      "GET / HTTP/1.1\nHost: a\n\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 binary\r\n\r\n",
      "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/3.0\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
      "chunked\r\n\r\n0\r\n\r\n",
      "GET /" + std::string(10'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: sim.example\r\nTransfer-Encoding: "
      "chunked\r\n\r\nzz\r\nbad\r\n"};
  return kGarbage;
}

SimClientPlan sim_plan(SimRandom& random, SimWeather weather, int first_number,
                       const std::function<SimRequest(int)>& request,
                       const std::string& until_close) {
  SimClientPlan plan;
  const int n = static_cast<int>(random.between(1, 5));
  for (int i = 0; i < n; ++i)
    plan.requests.push_back(request(first_number + i));
  plan.pipelined = random.chance(0.4);
  plan.half_close = random.chance(0.1);
  plan.slow_bytes = random.chance(0.1);
  plan.slow_limit = 200;
  if (random.chance(0.2)) plan.think = Micros(random.between(0, 2'000'000));
  plan.deadline = Duration(weather == SimWeather::Kind ? 1'000'000 : 60'000);
  SimRequest& last = plan.requests.back();
  if (last.garbage.empty() && random.chance(0.2)) {  // requests after which the server closes
    switch (random.between(0, 2)) {
      case 0:
        last.headers.emplace_back("Connection", "close");
        break;
      case 1:
        if (last.framing != SimRequest::Framing::Chunked && !last.expect_continue)
          last.version = "HTTP/1.0";
        break;
      default:
        if (last.framing == SimRequest::Framing::None) last.path = until_close;
    }
  }
  if (weather == SimWeather::Kind) return plan;
  if (random.chance(0.1)) {
    plan.leave_after = Micros(random.between(0, 3'000'000));
    plan.leave_by_reset = random.chance(0.5);
  }
  plan.stops_reading = random.chance(0.03);
  return plan;
}

std::uint64_t sim_setting(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

}  // namespace gatescope::test

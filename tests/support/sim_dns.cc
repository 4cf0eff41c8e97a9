#include "tests/support/sim_dns.h"

#include <utility>

namespace gatescope::test {

using net::DnsAnswer;
using net::DnsType;

class SimDns::Client final : public net::DnsClient {
 public:
  Client(SimDns& dns, net::Loop& loop, net::DnsEvents& events)
      : dns_(dns), loop_(loop), events_(events) {}
  void ask(const std::string& name, DnsType type, std::uint64_t number) override {
    if (type == DnsType::A) ++dns_.asked_[name];
    if (!dns_.silent) questions_[number] = std::make_unique<Question>(*this, name, type, number);
  }

 private:
  class Question final : private net::TimerEvents {
   public:
    Question(Client& client, std::string name, DnsType type, std::uint64_t number)
        : client_(client),
          key_(std::move(name), type),
          number_(number),
          timer_(client.loop_.make_timer(*this)) {
      timer_->start(client.dns_.delay);
    }

   private:
    void on_timer(net::Timer&) override {
      auto own = std::move(client_.questions_.extract(number_).mapped());
      auto& events = client_.events_;
      const auto found = client_.dns_.answers_.find(key_);
      Result<DnsAnswer> answer =
          found == client_.dns_.answers_.end()
              ? make_error(ErrorKind::NotFound, Origin::Upstream, "3: Host not found")
              : found->second;
      const auto number = number_;
      client_.loop_.discard(std::move(own));
      events.on_dns_answer(number, std::move(answer));
    }

    Client& client_;
    const SimDns::Key key_;
    const std::uint64_t number_;
    const std::unique_ptr<net::Timer> timer_;
  };

  SimDns& dns_;
  net::Loop& loop_;
  net::DnsEvents& events_;
  std::map<std::uint64_t, std::unique_ptr<Question>> questions_;
};

std::unique_ptr<net::DnsClient> SimDns::make(net::Loop& loop, const std::vector<net::Endpoint>&,
                                             net::DnsEvents& events) {
  return std::make_unique<Client>(*this, loop, events);
}

void SimDns::set(const std::string& name, const std::vector<std::string>& addresses,
                 std::uint32_t ttl) {
  DnsAnswer answer;
  for (const auto& address : addresses) {
    auto& record = answer.emplace_back();
    record.name = name;
    record.ttl = ttl;
    record.address = *net::Endpoint::ip(address, 0);
  }
  set_answer(name, DnsType::A, std::move(answer));
  set_answer(name, DnsType::Aaaa, DnsAnswer());
}

void SimDns::fail(const std::string& name, ErrorKind kind) {
  for (const auto type : {DnsType::A, DnsType::Aaaa, DnsType::Srv})
    set_answer(name, type, make_error(kind, Origin::Upstream, "it failed"));
}

void SimDns::forget(const std::string& name) {
  for (const auto type : {DnsType::A, DnsType::Aaaa, DnsType::Srv})
    answers_.erase({name, type});
}

}  // namespace gatescope::test

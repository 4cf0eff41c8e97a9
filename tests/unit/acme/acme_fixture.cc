#include "tests/unit/acme/acme_fixture.h"

#include <algorithm>
#include <cstdlib>

#include "proxy/base/time_words.h"

namespace gatescope::acme::test {

int MemoryLog::count(std::string_view text) const {
  return static_cast<int>(std::ranges::count_if(
      lines, [&](const auto& line) { return line.find(text) != std::string::npos; }));
}

std::string MemoryLog::all() const {
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i)
    text += in_words(times[i]) + " " + lines[i] + "\n";
  return text;
}

AcmeWorld::AcmeWorld(std::vector<std::string> names, std::uint64_t seed) : world(seed) {
  char pattern[] = "/tmp/gatescope-acme-XXXXXX";
  folder = ::mkdtemp(pattern);
  plan.settings.name = "le";
  plan.settings.uri = authority.directory();
  plan.settings.state_path = folder + "/state";
  plan.settings.accepts_terms = true;
  plan.settings.contacts = {"mailto:a@a.test"};
  plan.certificates.push_back({.issuer = "le", .identifiers = std::move(names)});
  lane = loop.make_lane({.name = "acme"});
  // As the world would: what is asked for is what is put up.
  authority.validate = [this](const std::string& type, const std::string& name,
                              const std::string& token, const std::string& authorization) {
    if (type == "http-01")
      return challenges.authorization(token) == authorization ? "" : "404 for " + token;
    return challenges.find(proof_name(name)) ? std::string() : "no proof for " + name;
  };
}

AcmeWorld::~AcmeWorld() {
  kill();
  lane.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

void AcmeWorld::start() {
  kill();
  loop.turn([this] {
    issuer = std::make_unique<Issuer>(Issuer::Parts{.loop = loop,
                                                    .lane = lane,
                                                    .secrets = secrets,
                                                    .proving = {challenges, tickets, caches},
                                                    .log = log},
                                      authority.make(loop, {}), plan, ++starts,
                                      static_cast<IssuerEvents&>(*this));
    demand ? issuer->renew_now() : issuer->start();
  });
}

void AcmeWorld::kill() {
  if (issuer) loop.turn([this] { issuer.reset(); });
}

bool AcmeWorld::shown(std::size_t count, Duration within) {
  return world.run_until([&] { return bundles.size() >= count; }, within);
}

std::vector<std::string> AcmeWorld::files() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(plan.settings.state_path))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

void AcmeWorld::on_certificate(const std::string& secret_name, const std::string& bundle) {
  CHECK(secret_name.starts_with("$acme_certificate:le/"));
  bundles.push_back(bundle);
}

void AcmeWorld::on_tried(const CertificateSettings&, const Failure* failure) {
  tried.push_back(failure ? failure->what : "");
}

}  // namespace gatescope::acme::test

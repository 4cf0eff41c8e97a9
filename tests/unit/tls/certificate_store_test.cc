// Certificates that are exchanged while they serve.

#include "certs/certificate_store.h"

#include "tests/unit/tls/tls_fixture.h"

namespace gatescope::tls::test {
namespace {

class Lines final : public Log {
 public:
  bool enabled(LogLevel) const override { return true; }
  void write(LogLevel level, std::string_view message) override {
    text += fmt::format("[{}] {}\n", name_of(level), message);
  }
  std::string take() { return std::exchange(text, {}); }
  std::string text;
};

struct StoreWorld : World {
  StoreWorld() : store(secrets, tickets, caches) {
    auto opened = store.open(settings);
    REQUIRE(opened);
    served = *opened;
  }
  std::size_t look() { return store.look(log).size(); }
  CertificateStore store;
  std::shared_ptr<ServedContext> served;
  Lines log;
};

}  // namespace

TEST_CASE("a certificate store exchanges a context when its certificate has another text") {
  StoreWorld w;
  const auto first = w.served->get();
  CHECK(w.look() == 0);
  CHECK(w.served->get() == first);
  w.authority.add(w.secrets, "/a", "a.test");
  CHECK(w.look() == 1);
  const auto second = w.served->get();
  CHECK(second != first);
  CHECK(w.log.take() == "[notice] new certificate \"/a.pem\" serves\n");
  CHECK(w.look() == 0);
  CHECK(w.log.take() == "");
}

TEST_CASE(
    "a certificate store refuses a broken pair, says so once, and takes it when it is whole") {
  StoreWorld w;
  const auto first = w.served->get();
  // A new certificate whose key has not come yet, as while certbot swaps its links.
  const auto key = w.secrets.files["/a.key"];
  w.authority.add(w.secrets, "/a", "a.test");
  const auto new_key = std::exchange(w.secrets.files["/a.key"], key);
  CHECK(w.look() == 0);
  CHECK(w.look() == 0);
  CHECK(w.served->get() == first);
  const auto said = w.log.take();
  CHECK(said.starts_with("[error] SSL_CTX_use_PrivateKey(\"/a.key\") failed"));
  CHECK(said.find("key values mismatch") != std::string::npos);
  CHECK(said.ends_with("the certificate in use stays, and \"/a.pem\" is looked at again\n"));
  CHECK(std::count(said.begin(), said.end(), '\n') == 1);
  w.secrets.files["/a.key"] = new_key;
  CHECK(w.look() == 1);
  CHECK(w.served->get() != first);
}

TEST_CASE("a certificate store keeps what it has when the files are gone or cut") {
  StoreWorld w;
  const auto first = w.served->get();
  const auto text = std::exchange(w.secrets.files["/a.pem"], "-----BEGIN CERTIFICATE-----\nMII");
  CHECK(w.look() == 0);
  CHECK(w.log.take().starts_with("[error] cannot load certificate \"/a.pem\""));
  w.secrets.files.erase("/a.pem");
  CHECK(w.look() == 0);
  CHECK(w.log.take().find("No such file") != std::string::npos);
  CHECK(w.served->get() == first);
  w.secrets.files["/a.pem"] = text;  // as it was: nothing new
  CHECK(w.look() == 0);
  CHECK(w.log.take() == "");
}

TEST_CASE("a certificate store forgets contexts with the configuration that asked for them") {
  StoreWorld w;
  const std::weak_ptr<const TlsContext> context = w.served->get();
  w.served.reset();
  CHECK(context.expired());
  w.authority.add(w.secrets, "/a", "a.test");
  CHECK(w.look() == 0);
}

TEST_CASE("a certificate and its key in one file are of one reading") {
  World w;
  const auto pair = w.authority.add(w.secrets, "/one", "one.test");
  w.secrets.files["/both.pem"] = w.secrets.files["/one.key"] + w.secrets.files["/one.pem"];
  TlsSettings settings;
  settings.pairs.push_back({"/both.pem", "/both.pem"});
  CHECK(TlsContext::make(settings, w.secrets, w.tickets, w.caches));
}

}  // namespace gatescope::tls::test

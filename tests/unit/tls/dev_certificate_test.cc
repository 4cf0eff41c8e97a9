#include "certs/dev_certificate.h"

#include <sys/stat.h>

#include <fstream>

#include "certs/key_pair.h"
#include "tests/unit/tls/tls_fixture.h"

using namespace gatescope;
using namespace gatescope::tls;
using namespace gatescope::tls::test;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/gatescope-dev-XXXXXX";
    path = fs::path(mkdtemp(name));
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

mode_t mode_of(const fs::path& path) {
  struct stat info {};
  REQUIRE(stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

DevCertificate ensure(const fs::path& folder, const std::vector<std::string>& names,
                      const Clock& clock) {
  auto made = ensure_dev_certificate(folder, names, clock);
  if (!made) FAIL(made.error().detail);
  return *made;
}

int verify(const DevCertificate& files, const std::string& name, bool ip) {
  const auto leaf = parse_certificates(read(files.certificate), "leaf");
  const auto ca = parse_certificates(read(files.ca), "ca");
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, ca->front().get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, leaf->front().get(), nullptr);
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER);
  if (ip) {
    X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(rules, name.c_str(), 0);
  }
  X509_verify_cert(context);
  const int result = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return result;
}

}  // namespace

TEST_CASE("a development certificate that browsers accept") {
  Folder folder;
  ManualClock clock;
  const fs::path below = folder.path / "dev" / "certs";
  const auto files = ensure(below, {"localhost", "*.Dev.test", "127.0.0.1", "::1"}, clock);
  CHECK(files.made_now);
  CHECK(files.ca == below / "ca.pem");
  CHECK(files.certificate == below / "localhost.pem");
  CHECK(files.key == below / "localhost.key");
  CHECK(mode_of(files.key) == 0600);
  CHECK(mode_of(below / "ca.key") == 0600);
  CHECK(mode_of(files.certificate) == 0644);
  CHECK(mode_of(below) == 0700);
  CHECK(verify(files, "localhost", false) == X509_V_OK);
  CHECK(verify(files, "a.dev.test", false) == X509_V_OK);
  CHECK(verify(files, "127.0.0.1", true) == X509_V_OK);
  CHECK(verify(files, "::1", true) == X509_V_OK);
  CHECK(verify(files, "other.test", false) == X509_V_ERR_HOSTNAME_MISMATCH);
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(below))
    ++count;
  CHECK(count == 4);  // no temporary file is left
}

TEST_CASE("a development certificate is kept while it is good") {
  Folder folder;
  ManualClock clock;
  const std::vector<std::string> names = {"localhost", "127.0.0.1"};
  const auto first = ensure(folder.path, names, clock);
  const std::string leaf = read(first.certificate), ca = read(first.ca);

  CHECK(!ensure(folder.path, names, clock).made_now);
  CHECK(read(first.certificate) == leaf);

  SECTION("30 days before its end it is renewed, by the same authority") {
    clock.advance(std::chrono::hours(24 * 366));
    CHECK(!ensure(folder.path, names, clock).made_now);
    clock.advance(std::chrono::hours(24 * 2));
    CHECK(ensure(folder.path, names, clock).made_now);
    CHECK(read(first.certificate) != leaf);
    CHECK(read(first.ca) == ca);
    CHECK(!ensure(folder.path, names, clock).made_now);
  }
  SECTION("the authority ends too, and takes its leaves along") {
    clock.advance(std::chrono::hours(24 * 3630));
    CHECK(ensure(folder.path, names, clock).made_now);
    CHECK(read(first.ca) != ca);
  }
  SECTION("other names") {
    CHECK(ensure(folder.path, {"localhost", "::1"}, clock).made_now);
    CHECK(read(first.ca) == ca);
  }
  SECTION("a lost key") {
    fs::remove(first.key);
    CHECK(ensure(folder.path, names, clock).made_now);
  }
  SECTION("a broken file") {
    std::ofstream(first.certificate) << "-----BEGIN CERTIFICATE-----\nhalf";
    CHECK(ensure(folder.path, names, clock).made_now);
  }
  SECTION("a key of something else") {
    const auto other = ensure(folder.path, {"other.test"}, clock);
    fs::copy_file(other.key, first.key, fs::copy_options::overwrite_existing);
    CHECK(ensure(folder.path, names, clock).made_now);
  }
  SECTION("a lost authority") {
    fs::remove(folder.path / "ca.key");
    CHECK(ensure(folder.path, names, clock).made_now);
    CHECK(read(first.ca) != ca);
    CHECK(verify(first, "localhost", false) == X509_V_OK);
  }
  CHECK(verify(first, "127.0.0.1", true) != X509_V_ERR_CERT_SIGNATURE_FAILURE);
}

TEST_CASE("names that cannot be") {
  Folder folder;
  ManualClock clock;
  for (const std::vector<std::string>& names :
       {std::vector<std::string>{}, {""}, {"../x"}, {"a b"}, {".x"}, {"good", "bad\nname"}}) {
    const auto made = ensure_dev_certificate(folder.path, names, clock);
    REQUIRE(!made);
    CHECK(made.error().kind == ErrorKind::Invalid);
  }
  CHECK(fs::is_empty(folder.path));
}

TEST_CASE("a folder that cannot be made is named") {
  ManualClock clock;
  const auto made = ensure_dev_certificate("/proc/none/certs", {"localhost"}, clock);
  REQUIRE(!made);
  CHECK(made.error().detail.find("\"/proc/none/certs\"") != std::string::npos);
}

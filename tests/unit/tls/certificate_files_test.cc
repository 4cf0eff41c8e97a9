// What TlsContext::make says when files or words are wrong.

#include "tests/unit/tls/tls_fixture.h"

using namespace gatescope;
using namespace gatescope::tls;
using namespace gatescope::tls::test;

namespace {

struct Files {
  Files() { good = authority.add(secrets, "/good", "a.test"); }
  std::string error_of(const TlsSettings& settings) {
    const auto made = TlsContext::make(settings, secrets, tickets);
    return made ? "no error" : made.error().detail;
  }
  std::string error_of(const TlsSettings::Pair& pair) {
    TlsSettings settings;
    settings.pairs = {pair};
    return error_of(settings);
  }

  MemoryLoop loop;
  TicketKeys tickets{loop.clock()};
  MemorySecrets secrets;
  Authority authority;
  TlsSettings::Pair good;
};

bool begins(const std::string& text, std::string_view with) {
  UNSCOPED_INFO(text);
  return text.starts_with(with);
}

}  // namespace

TEST_CASE("a broken pair is named in nginx's words") {
  Files f;
  CHECK(f.error_of(f.good) == "no error");
  CHECK(f.error_of({"/none.pem", "/good.key"}) ==
        "cannot load certificate \"/none.pem\": open() \"/none.pem\" failed (2: No such file or "
        "directory)");
  CHECK(f.error_of({"/good.pem", "/none.key"}) ==
        "cannot load certificate key \"/none.key\": open() \"/none.key\" failed (2: No such file "
        "or directory)");

  f.secrets.files["/garbage"] = "this is no PEM";
  f.secrets.files["/empty"] = "";
  for (const std::string path : {"/garbage", "/empty", "/good.key"}) {
    CHECK(begins(f.error_of({path, "/good.key"}),
                 "cannot load certificate \"" + path +
                     "\": PEM_read_bio_X509_AUX() failed (SSL: error:0480006C:PEM routines::no "
                     "start line:"));
  }
  for (const std::string path : {"/garbage", "/empty", "/good.pem"}) {
    CHECK(begins(f.error_of({"/good.pem", path}), "cannot load certificate key \"" + path +
                                                      "\": PEM_read_bio_PrivateKey() failed (SSL: "
                                                      "error:"));
  }
  f.secrets.files["/cut.pem"] = f.secrets.files["/good.pem"] + "-----BEGIN CERTIFICATE-----\nAAAA";
  CHECK(begins(f.error_of({"/cut.pem", "/good.key"}),
               "cannot load certificate \"/cut.pem\": PEM_read_bio_X509() failed (SSL: error:"));
}

TEST_CASE("a key that belongs to another certificate") {
  Files f;
  f.authority.add(f.secrets, "/other", "a.test");
  CHECK(f.error_of({"/good.pem", "/other.key"}) ==
        "SSL_CTX_use_PrivateKey(\"/other.key\") failed (SSL: error:05800074:x509 certificate "
        "routines::key values mismatch)");
  f.authority.add(f.secrets, "/rsa", "a.test", true);
  const std::string other_type = f.error_of({"/good.pem", "/rsa.key"});
  CHECK(begins(other_type, "SSL_CTX_use_PrivateKey(\"/rsa.key\") failed (SSL: error:"));
  CHECK(other_type.find("key type mismatch") != std::string::npos);
}

TEST_CASE("an encrypted key is an error that says how to mend it, not a question") {
  Files f;
  const KeyPtr key = new_key();
  const BioPtr bio(BIO_new(BIO_s_mem()));
  char password[] = "secret";
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_128_cbc(), password, 6,
                                        nullptr, nullptr) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  f.secrets.files["/locked.key"] = std::string(data, static_cast<std::size_t>(size));
  const std::string error = f.error_of({"/good.pem", "/locked.key"});
  CHECK(begins(error,
               "cannot load certificate key \"/locked.key\": PEM_read_bio_PrivateKey() "
               "failed (SSL: error:"));
  CHECK(error.find("encrypted with a password") != std::string::npos);
}

TEST_CASE("words that OpenSSL does not know") {
  Files f;
  TlsSettings settings;
  settings.pairs = {f.good};
  SECTION("ciphers") {
    settings.ciphers = "NONSENSE";
    CHECK(
        begins(f.error_of(settings), "SSL_CTX_set_cipher_list(\"NONSENSE\") failed (SSL: error:"));
  }
  SECTION("curves") {
    settings.ecdh_curve = "round";
    CHECK(begins(f.error_of(settings), "SSL_CTX_set1_curves_list(\"round\") failed"));
  }
  SECTION("dhparam") {
    settings.dhparam = "/good.key";
    CHECK(begins(f.error_of(settings), "PEM_read_bio_Parameters(\"/good.key\") failed"));
  }
  SECTION("session cache") {
    settings.session_cache = "big";
    CHECK(f.error_of(settings) == "invalid session cache \"big\"");
  }
  SECTION("nothing to show") {
    settings.pairs.clear();
    CHECK(f.error_of(settings) ==
          "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive");
  }
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("dhparam makes DHE ciphers possible") {
  TlsSettings settings;
  settings.ciphers = "DHE-RSA-AES128-GCM-SHA256";
  World world;
  settings.pairs = {world.authority.add(world.secrets, "/rsa", "a.test", true)};
  // RFC 7919's ffdhe2048 as PEM.
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr);
  EVP_PKEY* parameters = nullptr;
  REQUIRE(EVP_PKEY_keygen_init(context) == 1);
  REQUIRE(EVP_PKEY_CTX_ctrl_str(context, "dh_param", "ffdhe2048") == 1);
  REQUIRE(EVP_PKEY_keygen(context, &parameters) == 1);
  const BioPtr bio(BIO_new(BIO_s_mem()));
  REQUIRE(PEM_write_bio_Parameters(bio.get(), parameters) == 1);
  EVP_PKEY_free(parameters);
  EVP_PKEY_CTX_free(context);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  world.secrets.files["/dh.pem"] = std::string(data, static_cast<std::size_t>(size));

  for (const bool given : {false, true}) {
    settings.dhparam = given ? "/dh.pem" : "";
    const auto made = world.make(settings);
    world.chooser.contexts[""] = made.get();
    Served server(world.loop, world.chooser);
    Client client({.version = TLS1_2_VERSION, .ciphers = "DHE-RSA-AES128-GCM-SHA256"});
    server.pump(client);
    CHECK(server.user.done == given);
  }
}

TEST_CASE("the end of each certificate is known") {
  World world;
  REQUIRE(world.context->expiry().size() == 1);
  const auto days = (world.context->expiry()[0] - std::time(nullptr)) / 86400;
  CHECK((days == 59 || days == 60));
}

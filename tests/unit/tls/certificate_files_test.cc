// What TlsContext::make says when files or words are wrong.

#include "tests/unit/tls/tls_fixture.h"

using namespace gatescope;
using namespace gatescope::tls;
using namespace gatescope::tls::test;

namespace {

struct Files {
  Files() { good = authority.add(secrets, "/good", "a.test"); }
  std::string error_of(const TlsSettings& settings) {
    const auto made = TlsContext::make(settings, secrets, tickets, caches);
    return made ? "no error" : made.error().detail;
  }
  std::string error_of(const TlsSettings::Pair& pair) {
    TlsSettings settings;
    settings.pairs = {pair};
    return error_of(settings);
  }

  MemoryLoop loop;
  TicketKeys tickets{loop.clock()};
  SessionCaches caches{loop.clock()};
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

namespace {

/// A key that "secret" opens.
std::string locked(const std::string& key_pem) {
  const BioPtr in = bio_on(key_pem);
  const KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  const BioPtr bio(BIO_new(BIO_s_mem()));
  char password[] = "secret";
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_128_cbc(), password, 6,
                                        nullptr, nullptr) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

TEST_CASE("an encrypted key needs a password from the file, nobody is asked at the terminal") {
  Files f;
  f.secrets.files["/locked.key"] = locked(f.secrets.files["/good.key"]);
  struct Case {
    std::optional<std::string> passwords;  // what the file has; none: not named
    std::string error;                     // a part of it; empty: none
  };
  const Case kCases[] = {
      {std::nullopt, "the key is encrypted with a password: name a file with it"},
      {"secret", ""},
      {"wrong\r\nsecret\r\n", ""},
      {"wrong\n\nsecret\n", ""},
      {"wrong\nsecret2\n", "no password of \"ssl_password_file\" opens the key"},
      {"", "the key is encrypted"},
  };
  for (const auto& c : kCases) {
    CAPTURE(c.passwords.value_or("(none)"));
    TlsSettings settings;
    settings.pairs = {{f.good.certificate, "/locked.key"}};
    if (c.passwords) {
      f.secrets.files["/passwords"] = *c.passwords;
      settings.password_file = "/passwords";
    }
    const std::string error = f.error_of(settings);
    if (c.error.empty()) {
      CHECK(error == "no error");
    } else {
      CHECK(begins(error, "cannot load certificate key \"/locked.key\": "));
      CHECK(error.find(c.error) != std::string::npos);
    }
  }
  TlsSettings settings;
  settings.pairs = {f.good};
  settings.password_file = "/none";
  CHECK(begins(f.error_of(settings), "open() \"/none\" failed"));
}

TEST_CASE("certificate and key may stand in the configuration itself") {
  Files f;
  CHECK(f.error_of({"data:" + f.secrets.files["/good.pem"],
                    "data:" + f.secrets.files["/good.key"]}) == "no error");
  CHECK(begins(f.error_of({"data:nonsense", "/good.key"}),
               "cannot load certificate \"data:...\": PEM_read_bio_X509_AUX() failed"));
}

TEST_CASE("of two certificates with the same kind of key the last counts, with its chain") {
  World world;
  world.settings.pairs = {world.authority.add(world.secrets, "/one", "one.test", false, true),
                          world.authority.add(world.secrets, "/two", "two.test")};
  const auto made = world.make(world.settings);
  world.chooser.contexts[""] = made.get();
  Served server(world.loop, world.chooser);
  Client client({});
  server.pump(client);
  CHECK(client.peer_name() == "two.test");
  CHECK(client.chain_length() == 1);
}

TEST_CASE("each bad file refuses the configuration, and is named with its directive's place") {
  Files f;
  f.secrets.files["/garbage"] = "this is no PEM";
  f.secrets.files["/root"] = f.authority.root_pem();
  f.secrets.files["/cut"] = f.authority.root_pem() + "-----BEGIN CERTIFICATE-----\nAAAA";
  const auto file = [](const std::string& path) {
    return NamedFile(path, conf::Place{"/etc/g.conf", 7, 5});
  };
  struct Case {
    std::function<void(TlsSettings&, const NamedFile&)> set;
    std::string path;
    std::string error;  // how it begins
  };
  const auto ca = [](TlsSettings& s, const NamedFile& named) {
    s.verify_client = ClientCheck::On;
    s.client_certificate = named;
  };
  const auto trusted = [](TlsSettings& s, const NamedFile& named) {
    s.trusted_certificate = named;
  };
  const auto crl = [](TlsSettings& s, const NamedFile& named) { s.crl = named; };
  const auto dh = [](TlsSettings& s, const NamedFile& named) { s.dhparam = named; };
  const auto ticket = [](TlsSettings& s, const NamedFile& named) { s.ticket_keys = {named}; };
  const auto pair = [](TlsSettings& s, const NamedFile& named) {
    s.pairs = {{named, "/good.key"}};
  };
  const auto key = [](TlsSettings& s, const NamedFile& named) { s.pairs[0].key = named; };
  const auto password = [](TlsSettings& s, const NamedFile& named) { s.password_file = named; };
  const auto command = [](TlsSettings& s, const NamedFile& named) {
    s.commands = {{"Certificate", named.path, named.place}};
  };
  const Case kCases[] = {
      {ca, "/none", "failed to load \"/none\": open() \"/none\" failed (2: No such file"},
      {ca, "/garbage", "failed to load \"/garbage\": PEM_read_bio_X509_AUX() failed"},
      {ca, "/cut", "failed to load \"/cut\": PEM_read_bio_X509_AUX() failed"},
      {trusted, "/garbage", "failed to load \"/garbage\": PEM_read_bio_X509_AUX() failed"},
      {crl, "/none", "failed to load \"/none\": open()"},
      {crl, "/root", "failed to load \"/root\": PEM_read_bio_X509_CRL() failed"},
      {dh, "/none", "open() \"/none\" failed"},
      {dh, "/garbage", "PEM_read_bio_Parameters(\"/garbage\") failed"},
      {ticket, "/none", "open() \"/none\" failed"},
      {ticket, "/garbage", "\"/garbage\" must be 48 or 80 bytes, it has 14"},
      {pair, "/garbage", "cannot load certificate \"/garbage\""},
      {pair, "/root", "SSL_CTX_use_PrivateKey(\"/good.key\") failed"},
      {key, "/garbage", "cannot load certificate key \"/garbage\""},
      {password, "/none", "open() \"/none\" failed"},
      {command, "/none", "SSL_CONF_cmd(\"Certificate\", \"/none\") failed: open()"},
      {command, "/garbage", "SSL_CONF_cmd(\"Certificate\", \"/garbage\") failed (SSL: error:"},
      {command, "/root", "the key does not fit the certificate after \"ssl_conf_command\""},
  };
  for (const auto& c : kCases) {
    CAPTURE(c.path, c.error);
    TlsSettings settings;
    settings.pairs = {{f.good.certificate, NamedFile("/good.key", {"/etc/g.conf", 7, 5})}};
    c.set(settings, file(c.path));
    for (auto& p : settings.pairs)
      if (p.key.place.line == 0) p.key.place = {"/etc/g.conf", 7, 5};
    const std::string error = f.error_of(settings);
    CHECK(begins(error, c.error));
    CHECK(error.ends_with(" in /etc/g.conf:7:5"));
    CHECK(ERR_peek_error() == 0);
  }
}

TEST_CASE("clients cannot be verified without authorities") {
  Files f;
  TlsSettings settings;
  settings.pairs = {f.good};
  settings.place = {"/etc/g.conf", 3, 1};
  for (const auto check : {ClientCheck::On, ClientCheck::Optional}) {
    settings.verify_client = check;
    CHECK(begins(f.error_of(settings),
                 "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client"));
  }
  settings.verify_client = ClientCheck::OptionalNoCa;
  CHECK(f.error_of(settings) == "no error");
}

TEST_CASE("commands of OpenSSL's configuration override directives") {
  World world;
  world.authority.add(world.secrets, "/other", "other.test");
  TlsSettings settings = world.settings;
  settings.tickets = false;
  settings.commands = {{"Certificate", "/other.pem", {}},
                       {"privatekey", "/other.key", {}},
                       {"Options", "SessionTicket", {}},
                       {"Groups", "P-384", {}},
                       {"MaxProtocol", "TLSv1.2", {}}};
  const auto made = world.make(settings);
  world.chooser.contexts["b.test"] = made.get();
  Served server(world.loop, world.chooser);
  Client client({.name = "b.test"});
  server.pump(client);
  REQUIRE(server.user.done);
  CHECK(client.peer_name() == "other.test");
  CHECK(server.fact(TlsFact::Protocol) == "TLSv1.2");
  CHECK(server.fact(TlsFact::Curve) == "secp384r1");
  CHECK(client.session_count() == 1);

  Files f;
  settings = {};
  settings.pairs = {f.good};
  settings.commands = {{"NoSuchCommand", "x", {"/etc/g.conf", 9, 3}}};
  CHECK(begins(f.error_of(settings), "SSL_CONF_cmd(\"NoSuchCommand\", \"x\") failed (SSL: error:"));
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

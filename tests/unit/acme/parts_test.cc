// Keys, signatures, texts of the protocol, times.

#include <openssl/x509v3.h>

#include "certs/acme/base64url.h"
#include "certs/acme/certificate.h"
#include "certs/acme/jws.h"
#include "certs/acme/messages.h"
#include "certs/acme/renewal_schedule.h"
#include "certs/acme/state_folder.h"
#include "certs/issue_certificate.h"
#include "tests/support/acme_jws.h"
#include "tests/support/catch.h"

namespace gatescope::acme::test {

using std::chrono::hours;

TEST_CASE("base64url has no padding, and takes none") {
  for (const std::string text : {"", "f", "fo", "foo", "foob", "\xff\xfe\xfb"}) {
    const auto coded = base64url(text);
    CHECK(coded.find_first_of("+/=") == std::string::npos);
    CHECK(base64url_decode(coded) == text);
  }
  CHECK(base64url("\xfb\xff") == "-_8");
  CHECK(!base64url_decode("Zg=="));
  CHECK(!base64url_decode("+/8"));
}

TEST_CASE("signatures are good to code that did not make them") {
  for (const char* type : {"ecdsa:256", "ecdsa:384", "ecdsa:521", "rsa:2048"}) {
    CAPTURE(type);
    const auto key = PrivateKey::make(*parse_key_type(type));
    REQUIRE(key);
    const auto jwk = nlohmann::json::parse((*key)->jwk());
    CHECK(jwk.dump() == (*key)->jwk());  // members sorted, no blanks: what is hashed
    CHECK(gatescope::test::thumbprint_of_jwk(jwk) == (*key)->thumbprint());
    const auto text = make_jws(**key, {.url = "https://a/b", .nonce = "n", .kid = {}}, "{\"x\":1}");
    REQUIRE(text);
    auto read = gatescope::test::read_jws(*text);
    REQUIRE(read);
    CHECK(read->head["jwk"] == jwk);
    CHECK(read->payload["x"] == 1);
    const auto peer = gatescope::test::key_of_jwk(jwk);
    REQUIRE(peer);
    CHECK(gatescope::test::verify_jws(*read, peer.get()));
    read->signing_input += "x";
    CHECK(!gatescope::test::verify_jws(*read, peer.get()));
    // Stored and read again it is the same.
    const auto again = PrivateKey::from_pem(*(*key)->pem(), "x");
    REQUIRE(again);
    CHECK((*again)->thumbprint() == (*key)->thumbprint());
  }
}

TEST_CASE("POST-as-GET has an empty payload, a known account sends its URL and not its key") {
  const auto key = *PrivateKey::make({});
  const auto text = *make_jws(*key, {.url = "u", .nonce = "n", .kid = "https://a/acct/1"}, "");
  const auto read = *gatescope::test::read_jws(text);
  CHECK(read.payload.is_null());
  CHECK(read.head["kid"] == "https://a/acct/1");
  CHECK(!read.head.contains("jwk"));
  CHECK(nlohmann::json::parse(text)["payload"] == "");
}

TEST_CASE("key types, and what is none") {
  CHECK(parse_key_type("ecdsa")->bits == 256);
  CHECK(parse_key_type("rsa")->bits == 2048);
  CHECK(parse_key_type("rsa:4096")->rsa);
  for (const char* bad : {"", "dsa", "rsa:1024", "ecdsa:255", "ecdsa:", "rsa:x"})
    CHECK(!parse_key_type(bad));
}

TEST_CASE("RFC 9773's example of a certificate's name") {
  const auto key = *tls::make_p256_key();
  const tls::X509Ptr certificate(X509_new());
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), 0x87654321);
  AUTHORITY_KEYID* id = AUTHORITY_KEYID_new();
  id->keyid = ASN1_OCTET_STRING_new();
  static const unsigned char kId[] = {0x69, 0x88, 0x5B, 0x6B, 0x87, 0x46, 0x40, 0x41, 0xE1, 0xB3,
                                      0x7B, 0x84, 0x7B, 0xA0, 0xAE, 0x2C, 0xDE, 0x01, 0xC8, 0xD4};
  ASN1_OCTET_STRING_set(id->keyid, kId, sizeof kId);
  REQUIRE(X509_add1_ext_i2d(certificate.get(), NID_authority_key_identifier, id, 0, 0) == 1);
  AUTHORITY_KEYID_free(id);
  // Only what is whole is read.
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), 0);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), 1);
  X509_set_pubkey(certificate.get(), key.get());
  REQUIRE(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  CHECK(renewal_id(certificate.get()) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
}

TEST_CASE("times of RFC 3339 and Retry-After") {
  const auto noon = *parse_time("2026-11-28T12:00:00Z");
  CHECK(parse_time("2026-11-28T12:00:00.123456Z") == noon);
  CHECK(parse_time("2026-11-28T14:30:00+02:30") == noon);
  CHECK(parse_time("2026-11-28T09:00:00-03:00") == noon);
  for (const char* bad : {"", "2026-11-28", "2026-11-28T12:00:00", "2026-11-28T12:00:00+0230", "x"})
    CHECK(!parse_time(bad));
  CHECK(parse_retry_after("120", noon) == Duration(120'000));
  CHECK(parse_retry_after("Sat, 28 Nov 2026 12:02:00 GMT", noon) == Duration(120'000));
  CHECK(parse_retry_after("Sat, 28 Nov 2026 11:00:00 GMT", noon) == Duration(0));
  CHECK(!parse_retry_after("soon", noon));
  CHECK(parse_retry_after("99999999999999999", noon) == Duration(hours(365 * 24)));
}

TEST_CASE("answers of strangers: other types, no JSON, nothing at all") {
  for (const char* text : {"", "{", "[]", "null", "\"x\"", "{\"status\":1}", "<html>",
                           "{\"newNonce\":[],\"newAccount\":{},\"newOrder\":null}"}) {
    CAPTURE(text);
    CHECK(!parse_directory(text));
    CHECK(!parse_order(text));
    CHECK(!parse_authorization(text));
    CHECK(!parse_renewal_window(text));
    CHECK(parse_problem(text).type.empty());
  }
  // A token becomes part of a path and of what is compared with it.
  const auto authorization = parse_authorization(
      R"({"status":"pending","identifier":{"type":"dns","value":"a"},"challenges":[
          {"type":"http-01","url":"https://a/1","token":"../../etc/passwd","status":"pending"},
          {"type":"http-01","url":"file:///x","token":"abc","status":"pending"}]})");
  REQUIRE(authorization);
  CHECK(authorization->challenges.empty());
  const auto problem = parse_problem(
      R"({"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"no","subproblems":[
          {"detail":"never","identifier":{"type":"dns","value":"b.test"}}]})");
  CHECK(problem.type == "rejectedIdentifier");
  CHECK(problem.detail == "no; b.test: never");
}

TEST_CASE("when to renew, and how long to wait after failures") {
  const CertificateFacts ninety{.not_before = WallTime(hours(0)),
                                .not_after = WallTime(hours(24 * 90))};
  CHECK(renewal_time(ninety, 0) == WallTime(hours(24 * 60)));
  CHECK(renewal_time(ninety, 1) > WallTime(hours(24 * 58)));
  const RenewalWindow window{WallTime(hours(10)), WallTime(hours(20)), ""};
  CHECK(time_in(window, 0) == window.start);
  CHECK(time_in(window, 1) == window.end);
  Backoff backoff;
  CHECK(backoff.next(0.5, {}) == std::chrono::minutes(5));
  CHECK(backoff.next(0.5, {}) == std::chrono::minutes(10));
  CHECK(backoff.next(0, {}) == std::chrono::minutes(15));
  CHECK(backoff.next(1, {}) == std::chrono::minutes(50));
  CHECK(backoff.next(0.5, hours(30)) == hours(30));
  CHECK(backoff.next(0.5, hours(24 * 300)) == hours(24 * 7));
  for (int i = 0; i < 100; ++i)
    CHECK(backoff.next(0.5, {}) <= hours(4));
  backoff.reset();
  CHECK(backoff.next(0.5, {}) == std::chrono::minutes(5));
}

TEST_CASE("names of handshakes that ask for proof") {
  CHECK(proof_name("a.test") == "a.test");
  CHECK(proof_name("192.0.2.7") == "7.2.0.192.in-addr.arpa");
  CHECK(proof_name("2001:db8::1") ==
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST_CASE("a bundle whose key is another's, and text that is none") {
  const auto one = *make_temporary_bundle({"a.test"}, WallTime(hours(24 * 20000)));
  const auto two = *make_temporary_bundle({"a.test"}, WallTime(hours(24 * 20000)));
  const auto facts = read_bundle(one, "one");
  REQUIRE(facts);
  CHECK(facts->names == std::vector<std::string>{"a.test"});
  const auto end = one.find("-----BEGIN CERTIFICATE");
  CHECK(!read_bundle(one.substr(0, end) + two.substr(two.find("-----BEGIN CERTIFICATE")), "mixed"));
  CHECK(!read_bundle(one.substr(0, end), "no certificate"));
  CHECK(!read_bundle(one.substr(0, one.size() - 100), "cut"));
  CHECK(!read_bundle("", "empty"));
}

}  // namespace gatescope::acme::test

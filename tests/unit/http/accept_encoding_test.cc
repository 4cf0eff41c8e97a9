#include "proxy/http/accept_encoding.h"

#include "tests/support/catch.h"

namespace gatescope::http {
namespace {

/// Weights of gzip, zstd, br and the plain body.
std::string weights(std::string_view value) {
  HeaderList headers;
  headers.add("Accept-Encoding", value);
  const AcceptedEncodings accepted(headers);
  std::string text;
  for (const auto coding : {Coding::Gzip, Coding::Zstd, Coding::Brotli, Coding::Identity})
    text += (text.empty() ? "" : " ") + std::to_string(accepted.weight(coding));
  return text;
}

TEST_CASE("Accept-Encoding") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "0 0 0 1"},
      {"gzip", "1000 0 0 1"},
      {"GZIP", "1000 0 0 1"},
      {"x-gzip", "1000 0 0 1"},
      {"gzipped", "0 0 0 1"},
      {"gzip, deflate, br, zstd", "1000 1000 1000 1"},
      {"br, gzip;q=0.1", "100 0 1000 1"},
      {"br;q=0.5 , gzip ; q=1", "1000 0 500 1"},
      {"gzip;q=0", "0 0 0 1"},
      {"gzip; q=0.000", "0 0 0 1"},
      {"gzip;q=0.001", "1 0 0 1"},
      {"gzip;q=1.000", "1000 0 0 1"},
      {"gzip;q=1.5", "0 0 0 1"},
      {"gzip;q=abc", "0 0 0 1"},
      {"gzip;q=0.1234", "0 0 0 1"},
      {"*", "1000 1000 1000 1"},
      {"deflate, *;q=0.5", "500 500 500 1"},
      {"gzip;q=0, *", "0 1000 1000 1"},
      {"*;q=0", "0 0 0 0"},
      {"gzip, *;q=0", "1000 0 0 0"},
      {"identity", "0 0 0 1000"},
      {"gzip;q=0.5, identity", "500 0 0 1000"},
      {"gzip, gzip;q=0", "1000 0 0 1"},
  };
  for (const auto& [value, expected] : cases) {
    INFO(value);
    CHECK(weights(value) == expected);
  }
  HeaderList headers;
  headers.add("Accept-Encoding", "gzip;q=0.5, identity;q=0.6, br;q=0.7");
  const AcceptedEncodings accepted(headers);
  CHECK_FALSE(accepted.takes(Coding::Gzip));  // it likes the plain body better
  CHECK(accepted.takes(Coding::Brotli));
}

}  // namespace
}  // namespace gatescope::http

#include "certs/password.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "certs/encoding.h"

namespace gatescope::tls {

namespace {

constexpr std::string_view kApr1 = "$apr1$";
constexpr std::size_t kSha1 = 20, kMd5 = 16;

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string digest(const EVP_MD* kind, std::string_view text) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), bytes, &size, kind, nullptr) != 1) return {};
  return {reinterpret_cast<const char*>(bytes), size};
}

bool matches_sha(std::string_view password, std::string_view encoded, bool salted) {
  const auto stored = base64_decode(encoded);
  if (!stored || stored->size() < kSha1 || (!salted && stored->size() != kSha1)) return false;
  const auto made = digest(EVP_sha1(), std::string(password) + stored->substr(kSha1));
  return same(made, std::string_view(*stored).substr(0, kSha1));
}

/// Apache's variant of the MD5 crypt: its own letters and another mark, the rest as in crypt(3)'s
/// $1$.
std::string apr1(std::string_view password, std::string_view salt) {
  const std::string pass(password), salt_text(salt);
  auto inner = digest(EVP_md5(), pass + salt_text + pass);
  std::string text = pass + std::string(kApr1) + salt_text;
  for (std::size_t left = pass.size(); left > 0; left -= std::min(left, kMd5))
    text += inner.substr(0, std::min(left, kMd5));
  for (std::size_t bits = pass.size(); bits != 0; bits >>= 1)
    text += bits & 1 ? '\0' : pass[0];
  auto sum = digest(EVP_md5(), text);
  for (int round = 0; round < 1000; ++round) {
    text = round & 1 ? pass : sum;
    if (round % 3 != 0) text += salt_text;
    if (round % 7 != 0) text += pass;
    text += round & 1 ? sum : pass;
    sum = digest(EVP_md5(), text);
    if (sum.size() != kMd5) return {};
  }
  constexpr std::string_view kLetters =
      "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string out = std::string(kApr1) + salt_text + "$";
  const auto put = [&](unsigned value, int letters) {
    for (; letters > 0; --letters, value >>= 6)
      out += kLetters[value & 63];
  };
  const auto byte = [&](int i) {
    return static_cast<unsigned>(static_cast<unsigned char>(sum[i]));
  };
  for (int i = 0; i < 5; ++i)
    put(byte(i) << 16 | byte(i + 6) << 8 | byte(i == 4 ? 5 : i + 12), 4);
  put(byte(11), 2);
  return out;
}

}  // namespace

bool is_slow_hash(std::string_view stored) {
  return !stored.starts_with("{");
}

bool password_matches(std::string_view password, std::string_view stored) {
  if (password.find('\0') != std::string_view::npos) return false;
  if (stored.starts_with("{PLAIN}")) return same(password, stored.substr(7));
  if (stored.starts_with("{SHA}")) return matches_sha(password, stored.substr(5), false);
  if (stored.starts_with("{SSHA}")) return matches_sha(password, stored.substr(6), true);
  if (stored.starts_with(kApr1)) {
    auto salt = stored.substr(kApr1.size());
    salt = salt.substr(0, std::min<std::size_t>({salt.find('$'), salt.size(), 8}));
    return same(apr1(password, salt), stored);
  }
  const auto data = std::make_unique<crypt_data>();  // 32 KiB, too much for a stack
  const char* made =
      ::crypt_r(std::string(password).c_str(), std::string(stored).c_str(), data.get());
  return made && made[0] != '*' && same(made, stored);
}

}  // namespace gatescope::tls

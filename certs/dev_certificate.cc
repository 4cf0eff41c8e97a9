#include "certs/dev_certificate.h"

#include <fmt/format.h>

#include <algorithm>

#include "certs/issue_certificate.h"
#include "certs/key_pair.h"
#include "certs/safe_file.h"

namespace gatescope::tls {
namespace {

using Path = std::filesystem::path;
using std::chrono::hours;

constexpr hours kDay{24};
constexpr hours kAuthorityLifetime = 3650 * kDay;
constexpr hours kLeafLifetime = 397 * kDay;  // browsers refuse more
constexpr hours kRenewBefore = 30 * kDay;
constexpr hours kClockSkew{1};  // a virtual machine's clock may lag behind

struct Identity {
  X509Ptr certificate;
  KeyPtr key;
};

/// Null members when something is missing, broken or does not fit: then it is made anew.
Identity load(const Path& certificate_path, const Path& key_path) {
  OwnSecrets files;
  const auto certificate_pem = files.read_secret(certificate_path.string());
  const auto key_pem = files.read_secret(key_path.string());
  if (!certificate_pem || !key_pem) return {};
  auto chain = parse_certificates(*certificate_pem, certificate_path.string());
  auto key = parse_private_key(*key_pem, key_path.string());
  if (!chain || !key) return {};
  if (X509_check_private_key(chain->front().get(), key->get()) != 1) return {};
  return {std::move(chain->front()), *std::move(key)};
}

bool is_fresh(const Identity& identity, WallTime now) {
  if (!identity.certificate) return false;
  const auto seconds = [](auto time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time).count();
  };
  const auto today = seconds(now.time_since_epoch());
  return unix_time(X509_get0_notBefore(identity.certificate.get())) <= today &&
         unix_time(X509_get0_notAfter(identity.certificate.get())) >= today + seconds(kRenewBefore);
}

WallTime end_of(const Identity& identity) {
  return WallTime(std::chrono::seconds(unix_time(X509_get0_notAfter(identity.certificate.get()))));
}

bool is_signed_by(const Identity& leaf, const Identity& authority) {
  return X509_verify(leaf.certificate.get(), authority.key.get()) == 1;
}

Result<void> store(const Identity& identity, const Path& certificate, const Path& key) {
  const auto key_pem = to_pem(identity.key.get());
  if (!key_pem) return key_pem.error();
  const auto certificate_pem = to_pem(identity.certificate.get());
  if (!certificate_pem) return certificate_pem.error();
  // A crash between the two leaves a pair that does not fit, which the next call makes anew.
  if (auto done = write_safely(key, *key_pem, 0600); !done) return done;
  return write_safely(certificate, *certificate_pem, 0644);
}

Result<Identity> issue(const CertificateRequest& request, const Identity& issuer) {
  auto key = make_p256_key();
  if (!key) return key.error();
  auto certificate =
      issue_certificate(request, key->get(), issuer.certificate.get(), issuer.key.get());
  if (!certificate) return certificate.error();
  return Identity{*std::move(certificate), *std::move(key)};
}

/// "*.test" -> "_.test": a name that shells leave alone.
Result<std::string> file_name(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (name.empty() || name.front() == '.' || std::any_of(name.begin(), name.end(), [](char c) {
          return c <= ' ' || c == '/' || c == '\x7f';
        })) {
      return make_error(ErrorKind::Invalid, Origin::Internal,
                        fmt::format("\"{}\" is no name for a certificate", name));
    }
  }
  if (names.empty()) {
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      "a certificate needs at least one name");
  }
  std::string base = normal_name(names.front());
  std::replace(base.begin(), base.end(), '*', '_');
  if (base == "ca") base = "ca-host";  // ca.pem is the authority's
  return base;
}

Result<void> make_folder(const Path& folder) {
  std::error_code error;
  // Only a folder that we make is closed to others.
  if (std::filesystem::create_directories(folder, error)) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  }
  if (!error) return {};
  return system_error(error.value(), fmt::format("mkdir() \"{}\"", folder.string()));
}

}  // namespace

Result<DevCertificate> ensure_dev_certificate(const Path& folder,
                                              const std::vector<std::string>& names,
                                              const Clock& clock) {
  const auto base = file_name(names);
  if (!base) return base.error();
  if (auto done = make_folder(folder); !done) return done.error();
  DevCertificate files{.ca = folder / "ca.pem",
                       .certificate = folder / (*base + ".pem"),
                       .key = folder / (*base + ".key")};
  const Path ca_key = folder / "ca.key";
  const WallTime now = clock.wall();

  Identity authority = load(files.ca, ca_key);
  if (!is_fresh(authority, now)) {
    auto made = issue({.common_name = "gatescope development CA",
                       .is_ca = true,
                       .not_before = now - kClockSkew,
                       .lifetime = kAuthorityLifetime},
                      {});
    if (!made) return made.error();
    authority = *std::move(made);
    if (auto done = store(authority, files.ca, ca_key); !done) return done.error();
  }

  std::vector<std::string> wanted;
  for (const auto& name : names)
    wanted.push_back(normal_name(name));
  const Identity kept = load(files.certificate, files.key);
  if (is_fresh(kept, now) && is_signed_by(kept, authority) &&
      names_of(kept.certificate.get()) == wanted) {
    files.ends = end_of(kept);
    return files;
  }
  auto leaf = issue({.common_name = names.front(),
                     .names = wanted,
                     .not_before = now - kClockSkew,
                     .lifetime = kLeafLifetime},
                    authority);
  if (!leaf) return leaf.error();
  if (auto done = store(*leaf, files.certificate, files.key); !done) return done.error();
  files.made_now = true;
  files.ends = end_of(*leaf);
  return files;
}

}  // namespace gatescope::tls

#include "certs/certificate_store.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <utility>

#include "certs/openssl_ptr.h"

namespace gatescope::tls {
namespace {

bool is_file(const NamedFile& file) {
  return !file.empty() && !file.path.starts_with("data:");
}

std::string sha256(std::string_view text) {
  std::string sum(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(sum.data()), &size,
                 EVP_sha256(), nullptr) != 1)
    return {};
  sum.resize(size);
  return sum;
}

std::string names_in(const TlsSettings& settings) {
  std::string names;
  for (const auto& pair : settings.pairs)
    if (is_file(pair.certificate))
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", pair.certificate.path);
  return names;
}

/// The leaf of each kind of key. Only of a context that nobody serves yet: OpenSSL's walk moves a
/// mark inside it.
std::vector<CertificateInfo> leaves_of(SSL_CTX* fresh) {
  std::vector<CertificateInfo> leaves;
  for (long more = SSL_CTX_set_current_cert(fresh, SSL_CERT_SET_FIRST); more == 1;
       more = SSL_CTX_set_current_cert(fresh, SSL_CERT_SET_NEXT))
    if (X509* leaf = SSL_CTX_get0_certificate(fresh)) leaves.push_back(describe(leaf));
  ERR_clear_error();
  return leaves;
}

std::string source_name(const NamedFile& file) {
  return is_file(file) ? file.path : "data:...";
}

}  // namespace

/// Read before the context is made: what changes in between is another text at the next look.
Result<std::shared_ptr<ServedContext>> CertificateStore::open(const TlsSettings& settings) {
  Texts texts;
  auto before = digest(settings, texts);
  auto made = TlsContext::make(settings, secrets_, tickets_, caches_);
  if (!made) return made.error();
  auto certificates = certificates_of(**made, settings, texts);
  auto served =
      std::make_shared<ServedContext>(std::shared_ptr<const TlsContext>(*std::move(made)));
  auto entry = std::make_shared<Entry>();
  entry->served = served;
  entry->settings = settings;
  if (before) entry->loaded = *std::move(before);
  entry->certificates = std::move(certificates);
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [](const auto& old) { return old->served.expired(); });
  entries_.push_back(std::move(entry));
  return served;
}

std::vector<std::shared_ptr<CertificateStore::Entry>> CertificateStore::living() {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [](const auto& old) { return old->served.expired(); });
  return entries_;
}

std::vector<CertificateStore::Exchanged> CertificateStore::look(Log& log) {
  const std::lock_guard one(look_mutex_);
  Texts texts;
  std::vector<Exchanged> exchanged;
  for (const auto& entry : living()) {
    const auto served = entry->served.lock();
    if (!served || !renew(*entry, *served, texts, log)) continue;
    auto& now = exchanged.emplace_back(Exchanged{served, {}});
    const std::lock_guard lock(mutex_);
    for (const auto& certificate : entry->certificates)
      now.certificates.push_back(certificate.info);
  }
  return exchanged;
}

void CertificateStore::set_current(const std::vector<std::shared_ptr<ServedContext>>& contexts) {
  const std::lock_guard lock(mutex_);
  for (const auto& entry : entries_)
    entry->current = std::ranges::find(contexts, entry->served.lock()) != contexts.end();
}

std::vector<ServedCertificate> CertificateStore::served() {
  std::vector<ServedCertificate> all;
  const auto is_known = [&](const ServedCertificate& one) {
    return std::ranges::any_of(all, [&](const auto& other) {
      return other.info.fingerprint == one.info.fingerprint && other.source == one.source;
    });
  };
  const std::lock_guard lock(mutex_);
  for (const auto& entry : entries_) {
    if (!entry->current || entry->served.expired()) continue;
    for (const auto& certificate : entry->certificates)
      if (!is_known(certificate)) all.push_back(certificate);
  }
  return all;
}

/// The context says what is shown, the texts where each of it came from.
std::vector<ServedCertificate> CertificateStore::certificates_of(const TlsContext& fresh,
                                                                 const TlsSettings& settings,
                                                                 Texts& texts) {
  std::vector<ServedCertificate> certificates;
  for (auto& leaf : leaves_of(fresh.native()))
    certificates.push_back({.info = std::move(leaf), .source = {}, .problem = {}});
  for (const auto& pair : settings.pairs) {
    const auto text = texts.find(pair.certificate.path);
    if (text == texts.end() || !text->second) continue;
    const auto infos = read_certificate_infos(*text->second, pair.certificate.path);
    if (!infos) continue;
    for (auto& certificate : certificates)
      if (certificate.info.fingerprint == infos->front().fingerprint)
        certificate.source = source_name(pair.certificate);
  }
  // Text in the configuration itself, or a file that changed between two readings.
  for (auto& certificate : certificates)
    if (certificate.source.empty() && !settings.pairs.empty())
      certificate.source = source_name(settings.pairs.front().certificate);
  return certificates;
}

/// Only the certificates are asked for, which are public: a key is read when it is needed.
Result<std::string> CertificateStore::digest(const TlsSettings& settings, Texts& texts) {
  std::string all;
  for (const auto& pair : settings.pairs) {
    if (!is_file(pair.certificate)) continue;
    auto text = texts.find(pair.certificate.path);
    if (text == texts.end())
      text =
          texts.emplace(pair.certificate.path, secrets_.read_secret(pair.certificate.path)).first;
    if (!text->second) return text->second.error();
    all += sha256(*text->second);
  }
  return all;
}

bool CertificateStore::renew(Entry& entry, ServedContext& served, Texts& texts, Log& log) {
  const auto now = digest(entry.settings, texts);
  const auto set_problem = [&](const std::string& problem) {
    const std::lock_guard lock(mutex_);
    for (auto& certificate : entry.certificates)
      certificate.problem = problem;
  };
  if (now && *now == entry.loaded) {
    if (!std::exchange(entry.refused, {}).empty()) set_problem({});
    return false;
  }
  auto made = now ? TlsContext::make(entry.settings, secrets_, tickets_, caches_)
                  : Result<std::unique_ptr<TlsContext>>(now.error());
  if (!made) {
    // A key that comes a moment after its certificate is tried again, and not worth two lines.
    const auto why = (now ? *now : std::string()) + made.error().detail;
    if (why != entry.refused)
      log.print(LogLevel::Error, "{}; the certificate in use stays, and {} is looked at again",
                made.error().detail, names_in(entry.settings));
    entry.refused = why;
    set_problem(made.error().detail);
    return false;
  }
  auto certificates = certificates_of(**made, entry.settings, texts);
  served.exchange(std::shared_ptr<const TlsContext>(*std::move(made)));
  entry.loaded = *now;
  entry.refused.clear();
  {
    const std::lock_guard lock(mutex_);
    entry.certificates = std::move(certificates);
  }
  log.print(LogLevel::Notice, "new certificate {} serves", names_in(entry.settings));
  return true;
}

}  // namespace gatescope::tls

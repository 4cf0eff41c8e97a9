#include "certs/certificate_store.h"

#include <fmt/format.h>
#include <openssl/evp.h>

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

}  // namespace

/// Read before the context is made: what changes in between is another text at the next look.
Result<std::shared_ptr<ServedContext>> CertificateStore::open(const TlsSettings& settings) {
  Texts texts;
  auto before = digest(settings, texts);
  auto made = TlsContext::make(settings, secrets_, tickets_, caches_);
  if (!made) return made.error();
  auto served =
      std::make_shared<ServedContext>(std::shared_ptr<const TlsContext>(*std::move(made)));
  auto entry = std::make_shared<Entry>();
  entry->served = served;
  entry->settings = settings;
  if (before) entry->loaded = *std::move(before);
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

std::size_t CertificateStore::look(Log& log) {
  const std::lock_guard one(look_mutex_);
  Texts texts;
  std::size_t exchanged = 0;
  for (const auto& entry : living())
    if (const auto served = entry->served.lock())
      exchanged += renew(*entry, *served, texts, log) ? 1 : 0;
  return exchanged;
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
  if (now && *now == entry.loaded) {
    entry.refused.clear();
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
    return false;
  }
  served.exchange(std::shared_ptr<const TlsContext>(*std::move(made)));
  entry.loaded = *now;
  entry.refused.clear();
  log.print(LogLevel::Notice, "new certificate {} serves", names_in(entry.settings));
  return true;
}

}  // namespace gatescope::tls

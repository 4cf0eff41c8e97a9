#include "certs/acme/account.h"

#include <fmt/format.h>

#include <utility>

#include "certs/acme/base64url.h"
#include "certs/acme/json_text.h"
#include "proxy/base/text.h"

namespace gatescope::acme {
namespace {

using nlohmann::json;

constexpr const char* kKeyFile = "account.key";
constexpr const char* kUrlFile = "account.json";
constexpr const char* kClosedFile = "account.key.closed";

/// The operator's own, the one in the folder, or a new one that is stored before anybody hears of
/// it.
Result<PrivateKey::Ptr> load_key(const IssuerSettings& settings, tls::SecretReader& secrets) {
  if (!settings.account_key.empty()) {
    const auto pem = secrets.read_secret(settings.account_key.path);
    if (!pem) return pem.error();
    return PrivateKey::from_pem(*pem, settings.account_key.path);
  }
  const StateFolder folder(settings.state_path);
  const auto stored = folder.read(kKeyFile);
  if (!stored) return stored.error();
  if (*stored) return PrivateKey::from_pem(**stored, folder.file(kKeyFile));
  auto made = PrivateKey::make(settings.account_key_type);
  if (!made) return made;
  const auto pem = (*made)->pem();
  if (!pem) return pem.error();
  if (auto written = folder.write(kKeyFile, *pem); !written) return written.error();
  return made;
}

/// The URL that belongs to this key at this authority; empty: none is known.
std::string load_url(const StateFolder& folder, const std::string& uri, const PrivateKey& key) {
  const auto stored = folder.read(kUrlFile);
  if (!stored || !*stored) return {};
  const auto object = json::parse(**stored, nullptr, false);
  const auto text = [&](const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  return text("uri") == uri && text("key") == key.thumbprint() ? text("url") : std::string();
}

}  // namespace

Result<Account::Loaded> Account::load(const IssuerSettings& settings,
                                      const std::string& new_account, tls::SecretReader& secrets) {
  Loaded loaded;
  auto key = load_key(settings, secrets);
  if (!key) return key.error();
  loaded.key = *std::move(key);
  loaded.url = load_url(StateFolder(settings.state_path), settings.uri, *loaded.key);
  if (settings.binding_kid.empty()) return loaded;
  constexpr std::string_view kData = "data:";
  const auto& path = settings.binding_key.path;
  auto text = path.starts_with(kData) ? Result<std::string>(path.substr(kData.size()))
                                      : secrets.read_secret(path);
  if (!text) return text.error();
  while (!text->empty() && static_cast<unsigned char>(text->back()) <= ' ')
    text->pop_back();
  const auto mac = base64url_decode(*text);
  if (!mac || mac->empty())
    return make_error(ErrorKind::Invalid, Origin::Internal,
                      "the external_account_key is not base64url, as the authority hands it out");
  auto binding = make_binding(*loaded.key, settings.binding_kid, *mac, new_account);
  if (!binding) return binding.error();
  loaded.binding = *std::move(binding);
  return loaded;
}

void Account::open(const Directory& directory, AccountEvents& events) {
  if (state_ == State::Open) return events.on_account();
  directory_ = directory;
  events_ = &events;
  load_on_lane();
}

void Account::load_on_lane() {
  state_ = State::Loading;
  auto loaded = std::make_shared<Result<Loaded>>(Loaded());  // lane fills, loop takes
  auto ticket = client_.lane().submit(
      [loaded, settings = settings_, url = directory_.new_account, &secrets = secrets_](unsigned) {
        *loaded = load(settings, url, secrets);
      },
      [this, loaded] { on_loaded(*loaded); });
  if (!ticket) return fail(failure_of(ticket.error()));
  ticket_ = *std::move(ticket);
}

void Account::on_loaded(const Result<Loaded>& loaded) {
  client_.loop().discard(std::move(ticket_));
  if (!loaded) return fail(failure_of(loaded.error()));
  key_ = loaded->key;
  was_known_ = !loaded->url.empty();
  if (!loaded->url.empty() && !forgotten_) return finish(loaded->url);
  register_key(loaded->binding);
}

void Account::register_key(const std::string& binding) {
  if (directory_.external_account_required && binding.empty())
    return fail({.what = "the authority wants an account that it knows already, add "
                         "external_account_key",
                 .type = {},
                 .retry_after = {}});
  if (!directory_.terms.empty() && !settings_.accepts_terms)
    return fail({.what = fmt::format("the authority has terms of service, read {} and add "
                                     "accept_terms_of_service",
                                     directory_.terms),
                 .type = {},
                 .retry_after = {}});
  state_ = State::Registering;
  json payload = json::object();
  if (settings_.accepts_terms) payload["termsOfServiceAgreed"] = true;
  if (!settings_.contacts.empty()) payload["contact"] = settings_.contacts;
  if (!binding.empty()) payload["externalAccountBinding"] = json::parse(binding);
  client_.sign_with(key_, {});
  client_.post(directory_.new_account, to_text(payload), *this);
}

void Account::on_reply(const Reply& reply) {
  if (reply.location.empty())
    return fail({.what = "the authority made an account and does not say where",
                 .type = {},
                 .retry_after = {}});
  state_ = State::Storing;
  const auto text = to_text(json{{"uri", settings_.uri},
                                 {"key", key_->thumbprint()},
                                 {"url", reply.location},
                                 {"contact", settings_.contacts}},
                            1);
  auto stored = std::make_shared<Result<void>>();  // lane fills, loop takes
  auto ticket =
      client_.lane().submit([stored, text, folder = StateFolder(settings_.state_path)](
                                unsigned) { *stored = folder.write(kUrlFile, text + "\n"); },
                            [this, stored, url = reply.location] { on_stored(url, *stored); });
  if (!ticket) return fail(failure_of(ticket.error()));
  ticket_ = *std::move(ticket);
}

/// An account whose URL could not be stored is found again by its key.
void Account::on_stored(const std::string& url, const Result<void>& stored) {
  client_.loop().discard(std::move(ticket_));
  if (!stored)
    log_.print(LogLevel::Error, "acme_issuer \"{}\": {}", settings_.name, stored.error().detail);
  log_.print(LogLevel::Notice, "acme_issuer \"{}\": account {}", settings_.name, url);
  forgotten_ = false;
  finish(url);
}

void Account::finish(std::string url) {
  state_ = State::Open;
  client_.sign_with(key_, std::move(url));
  std::exchange(events_, nullptr)->on_account();
}

void Account::on_no_reply(const Failure& failure) {
  failure.type == "unauthorized" && was_known_ ? set_aside(failure) : fail(failure);
}

void Account::set_aside(const Failure& failure) {
  if (!settings_.account_key.empty())
    return fail({.what = fmt::format("{}; the authority has closed the account of \"{}\", name "
                                     "another account_key",
                                     failure.what, settings_.account_key.path),
                 .type = failure.type,
                 .retry_after = failure.retry_after});
  state_ = State::SettingAside;
  auto renamed = std::make_shared<Result<void>>();  // lane fills, loop takes
  auto ticket = client_.lane().submit(
      [renamed, folder = StateFolder(settings_.state_path)](unsigned) {
        *renamed = folder.rename(kKeyFile, kClosedFile);
      },
      [this, renamed, failure] {
        client_.loop().discard(std::move(ticket_));
        if (!*renamed)
          return fail(
              {.what = fmt::format("{}; the authority has closed our account, ask it why, "
                                   "then remove \"{}\" for another one ({})",
                                   failure.what, StateFolder(settings_.state_path).file(kKeyFile),
                                   renamed->error().detail),
               .type = failure.type,
               .retry_after = failure.retry_after});
        log_.print(LogLevel::Warn,
                   "acme_issuer \"{}\": the authority has closed our account ({}); its key is "
                   "kept as {}, and a new one is registered",
                   settings_.name, failure.what, kClosedFile);
        load_on_lane();
      });
  if (!ticket) return fail(failure_of(ticket.error()));
  ticket_ = *std::move(ticket);
}

void Account::fail(Failure failure) {
  state_ = State::Closed;
  std::exchange(events_, nullptr)->on_no_account(failure);
}

void Account::forget() {
  forgotten_ = true;
  state_ = State::Closed;
}

}  // namespace gatescope::acme

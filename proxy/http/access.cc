#include "proxy/http/access.h"

#include <fmt/format.h>

#include "certs/encoding.h"
#include "certs/password.h"
#include "proxy/http/exchange.h"

namespace gatescope::http {

namespace {

enum class Verdict { Allowed, Refused, Unasked };

/// Name and password of "Authorization: Basic"; nullopt: not sent, or not in that form.
struct Credentials {
  std::string name, password;
};
std::optional<Credentials> credentials_of(Exchange& x) {
  const auto field = x.request().head.headers.find("authorization");
  if (!field || !starts_with_ignoring_case(*field, "basic ")) return std::nullopt;
  const auto decoded = tls::base64_decode(trim(field->substr(6)));
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) return std::nullopt;
  return Credentials{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

/// auth_delay: refuses when the time is over.
class LateRefusal final : public StepState, public net::TimerEvents {
 public:
  LateRefusal(Exchange& exchange, Duration time)
      : exchange_(exchange), timer_(exchange.loop().make_timer(*this)) {
    timer_->start(time);
  }
  void on_timer(net::Timer&) override { exchange_.answer_instead(401); }

 private:
  Exchange& exchange_;
  const std::unique_ptr<net::Timer> timer_;
};

/// A slow hash on a thread. Its ticket cancels.
struct PasswordCheck final : StepState {
  std::unique_ptr<net::WorkerLane::Ticket> ticket;
};

class AccessStep final : public RequestStep {
 public:
  AccessStep(const AccessSettings& settings, PasswordLanes& lanes, std::shared_ptr<UserFile> file)
      : settings_(settings), lanes_(lanes), file_(std::move(file)) {}

  StepResult run(Exchange& x) const override {
    const auto by_address = ask_rules(x);
    const bool any = settings_.satisfy_any.get();
    if (by_address == Verdict::Allowed && any) return StepResult::Next;
    const bool refused = by_address == Verdict::Refused;
    if (refused && !any) return answer(x, 403);
    if (!settings_.realm.is_set()) return refused ? answer(x, 403) : StepResult::Next;
    const auto realm = settings_.realm->evaluate(x, x.arena());
    if (realm == "off") return refused ? answer(x, 403) : StepResult::Next;
    return ask_password(x, realm);
  }

 private:
  static StepResult answer(Exchange& x, int status) {
    x.answer_instead(status);
    return StepResult::Answered;
  }

  Verdict ask_rules(Exchange& x) const {
    const auto address = IpAddress::of(x.connection().client);
    for (const auto& rule : settings_.rules.get()) {
      const bool fits =
          rule.whom == AccessRule::Whom::All ||
          (rule.whom == AccessRule::Whom::Unix ? !address
                                               : address && rule.network.contains(*address));
      if (!fits) continue;
      if (rule.allows) return Verdict::Allowed;
      if (!settings_.satisfy_any.get()) x.log(LogLevel::Error, "access forbidden by rule");
      return Verdict::Refused;
    }
    return Verdict::Unasked;
  }

  /// `realm` in an answer of 401, and the delay that makes guessing slow.
  StepResult refuse(Exchange& x, std::string_view realm) const {
    std::string quoted = "Basic realm=\"";
    for (const char c : realm) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    x.keep_field("WWW-Authenticate", x.arena().copy(quoted + "\""));
    const auto delay = settings_.delay.get();
    if (delay.count() == 0) return answer(x, 401);
    x.log(LogLevel::Info, "delaying unauthorized request");
    x.wait(std::make_unique<LateRefusal>(x, delay));
    return StepResult::Suspended;
  }

  StepResult ask_password(Exchange& x, std::string_view realm) const {
    auto sent = credentials_of(x);
    if (!sent) {
      x.log(LogLevel::Info, "no user/password was provided for basic authentication");
      return refuse(x, realm);
    }
    auto stored = find(x, sent->name);
    if (!stored) {
      const bool missing = stored.error().kind == ErrorKind::NotFound;
      x.log(missing ? LogLevel::Error : LogLevel::Crit, stored.error().detail);
      return answer(x, missing ? 403 : 500);
    }
    if (!*stored) {
      x.log(LogLevel::Error, fmt::format("user \"{}\" was not found", sent->name));
      return refuse(x, realm);
    }
    if (tls::is_slow_hash(**stored)) return ask_thread(x, realm, std::move(*sent), **stored);
    if (tls::password_matches(sent->password, **stored)) return StepResult::Next;
    return mismatch(x, sent->name, realm);
  }

  StepResult mismatch(Exchange& x, std::string_view name, std::string_view realm) const {
    x.log(LogLevel::Error, fmt::format("user \"{}\": password mismatch", name));
    return refuse(x, realm);
  }

  Result<std::optional<std::string>> find(Exchange& x, std::string_view name) const {
    const auto now = x.loop().clock().now();
    if (file_) return file_->find(name, now);
    // The name holds variables: read each time, with the worker's rights only
    const auto& said = settings_.user_file.get();
    std::string path(said.path.evaluate(x, x.arena()));
    if (!path.starts_with('/')) path = said.folder + "/" + path;
    return UserFile(path, nullptr).find(name, now);
  }

  StepResult ask_thread(Exchange& x, std::string_view realm, Credentials sent,
                        std::string stored) const {
    auto check = std::make_unique<PasswordCheck>();
    auto matches = std::make_shared<bool>(false);  // the thread fills it, the loop takes it
    const auto name = x.arena().copy(sent.name);
    const auto kept_realm = x.arena().copy(realm);
    auto ticket = lanes_.of(x.loop()).submit(
        [matches, sent = std::move(sent), stored = std::move(stored)](unsigned) {
          *matches = tls::password_matches(sent.password, stored);
        },
        [this, &x, matches, name, kept_realm] {
          if (*matches) return x.resume();
          mismatch(x, name, kept_realm);
        });
    if (!ticket) {
      x.log(LogLevel::Error, ticket.error().detail);
      return answer(x, 503);
    }
    check->ticket = std::move(*ticket);
    x.wait(std::move(check));
    return StepResult::Suspended;
  }

  const AccessSettings& settings_;  // of the location's scope, which lives as long
  PasswordLanes& lanes_;
  const std::shared_ptr<UserFile> file_;  // null: no auth_basic, or its file's name holds variables
};

}  // namespace

void AccessSettings::inherit(const Settings& outer_settings) {
  const auto& outer = as<AccessSettings>(outer_settings);
  rules.inherit(outer.rules);
  satisfy_any.inherit(outer.satisfy_any);
  realm.inherit(outer.realm);
  user_file.inherit(outer.user_file);
  delay.inherit(outer.delay);
}

net::WorkerLane& PasswordLanes::of(net::Loop& loop) {
  const std::lock_guard lock(mutex_);
  auto& held = lanes_[&loop];
  if (!held) held = loop.make_lane({.name = "gs-passwords", .threads = 1, .queue_limit = 64});
  return *held;
}

void PasswordLanes::forget_loop(net::Loop& loop) {
  const std::lock_guard lock(mutex_);
  lanes_.erase(&loop);
}

Result<void> AccessPart::contribute(const conf::Scope& scope, Location& location, VariableTable&) {
  const auto& settings = scope.get<AccessSettings>();
  const bool asks =
      settings.realm.is_set() && !(settings.realm->is_literal() && settings.realm->text() == "off");
  if (settings.rules->empty() && !asks) return {};
  std::shared_ptr<UserFile> file;
  if (asks) {
    if (!settings.user_file.is_set())
      return make_error(ErrorKind::Invalid, Origin::Internal,
                        "\"auth_basic\" has no \"auth_basic_user_file\" that names its users");
    if (settings.user_file->path.is_literal()) file = files_.get(settings.user_file->path.text());
  }
  location.access.push_back(std::make_unique<AccessStep>(settings, lanes_, std::move(file)));
  return {};
}

}  // namespace gatescope::http

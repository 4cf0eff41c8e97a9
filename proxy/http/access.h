#pragma once

// Who may: allow, deny, auth_basic, satisfy, limit_except.

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "certs/tls_context.h"
#include "conf/schema.h"
#include "conf/template.h"
#include "proxy/http/ip_network.h"
#include "proxy/http/routing_builder.h"
#include "proxy/http/user_file.h"

namespace gatescope::http {

/// allow or deny: everybody, a network, or clients behind unix sockets.
struct AccessRule {
  bool allows = false;
  enum class Whom { All, Unix, Network } whom = Whom::All;
  IpNetwork network;
};

struct AccessSettings final : conf::Settings {
  conf::Inherited<std::vector<AccessRule>> rules;  // the first that fits counts; none: not refused
  conf::Inherited<bool> satisfy_any{false};
  conf::Inherited<conf::Template> realm;  // unset, or of value "off": nobody is asked
  struct UserFileName {
    conf::Template path;  // as written when it holds variables, else absolute
    std::string folder;   // what a relative one is in
  };
  conf::Inherited<UserFileName> user_file;
  conf::Inherited<Duration> delay{Duration(0)};  // auth_delay
  void inherit(const Settings& outer) override;
};

/// Threads for hashes that are made to be slow, one lane per loop. Owned by Server; thread-safe.
class PasswordLanes {
 public:
  net::WorkerLane& of(net::Loop& loop);
  void forget_loop(net::Loop& loop);  // before the loop ends

 private:
  std::mutex mutex_;
  std::unordered_map<net::Loop*, std::shared_ptr<net::WorkerLane>> lanes_;
};

/// Makes the access step of a location. Owned by who builds a generation.
class AccessPart final : public LocationPart {
 public:
  AccessPart(PasswordLanes& lanes, tls::SecretReader& secrets) : lanes_(lanes), files_(secrets) {}
  Result<void> contribute(const conf::Scope& scope, Location& location,
                          VariableTable& variables) override;

 private:
  PasswordLanes& lanes_;
  UserFiles files_;
};

}  // namespace gatescope::http

#pragma once

#include "conf/schema.h"
#include "proxy/net/resolver.h"

namespace gatescope::upstream {

/// `resolver` and `resolver_timeout`, of http, a server, a location or an upstream block.
struct ResolverConf final : conf::Settings {
  conf::Inherited<net::ResolverSettings> resolver;  // without servers: there is none
  conf::Inherited<Duration> timeout{Duration(30'000)};

  void inherit(const Settings& outer_settings) override {
    const auto& outer = as<ResolverConf>(outer_settings);
    resolver.inherit(outer.resolver);
    timeout.inherit(outer.timeout);
  }
};

}  // namespace gatescope::upstream

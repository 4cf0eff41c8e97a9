#pragma once

// gzip, brotli, gunzip and what they have in common.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "conf/regex.h"
#include "conf/schema.h"
#include "proxy/base/arena.h"
#include "proxy/http/encoding.h"
#include "proxy/http/message.h"
#include "proxy/http/type_set.h"

namespace gatescope::http {

/// gzip_proxied: which answers may be compressed for a proxy (a request with Via).
struct GzipProxied {
  bool any = false, expired = false, no_cache = false, no_store = false, is_private = false;
  bool no_last_modified = false, no_etag = false, auth = false;
  bool off() const {
    return !(any || expired || no_cache || no_store || is_private || no_last_modified || no_etag ||
             auth);
  }
};

struct EncodingSettings final : conf::Settings {
  conf::Inherited<bool> gzip{false}, brotli{false}, gunzip{false}, gzip_vary{false};
  conf::Inherited<TypeSet> gzip_types{TypeSet{"text/html"}}, brotli_types{TypeSet{"text/html"}};
  conf::Inherited<std::uint64_t> gzip_min_length{20}, brotli_min_length{20};  // bytes
  conf::Inherited<int> gzip_level{1}, brotli_level{6};
  conf::Inherited<int> gzip_window{15}, brotli_window{19};  // log2 of bytes
  conf::Inherited<Version> gzip_http_version{Version::Http11};
  conf::Inherited<GzipProxied> gzip_proxied;
  /// Shared by the levels that inherit it: an expression cannot be copied.
  conf::Inherited<std::shared_ptr<const std::vector<conf::Regex>>> gzip_disable;

  /// gzip_http_version, gzip_proxied and gzip_disable; whether the client takes gzip at all is not
  /// asked. They are nginx's for gzip alone, in all three ways (gzip, gzip_static, gunzip).
  bool allows_gzip(const Request& request, const ResponseHead& head) const;
  /// What the filter would do with a body of this type and length: Identity when nothing.
  Coding choose(const Request& request, const AcceptedEncodings& accepted,
                const ResponseHead& head) const;
  /// Whether it does different things with it for different clients.
  bool applies(const ResponseHead& head) const;
  EncoderOptions encoder(Coding coding) const;
  void inherit(const Settings& outer) override;
};

/// Vary: Accept-Encoding, unless it is there.
void add_vary(ResponseHead& head);
/// `W/` before a strong entity tag: the bytes will differ from time to time.
void weaken_etag(ResponseHead& head, Arena& arena);

std::span<const conf::DirectiveSpec> encoding_directives();

}  // namespace gatescope::http

#include "proxy/http/encoding_settings.h"

#include <algorithm>
#include <chrono>

#include "proxy/base/text.h"

namespace gatescope::http {
namespace {

bool proxied_allows(const GzipProxied& rule, const Request& request, const ResponseHead& head) {
  if (rule.off()) return false;
  if (rule.any) return true;
  const auto& fields = head.headers;
  if (rule.auth && request.head.headers.has("authorization")) return true;
  if (const auto expires = fields.find("Expires")) {
    if (!rule.expired) return false;
    const auto until = parse_http_date(*expires);
    if (!until) return false;
    const auto date = fields.find("Date");
    const auto now = date ? parse_http_date(*date).value_or(0)
                          : std::chrono::floor<std::chrono::seconds>(
                                std::chrono::system_clock::now().time_since_epoch())
                                .count();
    return *until < now;
  }
  if (fields.has("Cache-Control"))
    return (rule.no_cache && fields.has_token("Cache-Control", "no-cache")) ||
           (rule.no_store && fields.has_token("Cache-Control", "no-store")) ||
           (rule.is_private && fields.has_token("Cache-Control", "private"));
  if (rule.no_last_modified && head.last_modified) return false;
  return !(rule.no_etag && !head.etag.empty());
}

bool long_enough(const ResponseHead& head, std::uint64_t least) {
  return !head.content_length || *head.content_length >= least;
}

}  // namespace

bool EncodingSettings::allows_gzip(const Request& request, const ResponseHead& head) const {
  if (request.head.version < gzip_http_version.get()) return false;
  if (request.head.headers.has("via") && !proxied_allows(*gzip_proxied, request, head))
    return false;
  if (!gzip_disable.get()) return true;
  const auto agent = request.head.headers.find("user-agent");
  return !agent || std::none_of(gzip_disable.get()->begin(), gzip_disable.get()->end(),
                                [&](const conf::Regex& regex) { return regex.match(*agent); });
}

bool EncodingSettings::applies(const ResponseHead& head) const {
  return (gzip.get() && gzip_types->holds(head.content_type) &&
          long_enough(head, gzip_min_length.get())) ||
         (brotli.get() && brotli_types->holds(head.content_type) &&
          long_enough(head, brotli_min_length.get()));
}

Coding EncodingSettings::choose(const Request& request, const AcceptedEncodings& accepted,
                                const ResponseHead& head) const {
  const bool br = brotli.get() && accepted.takes(Coding::Brotli) &&
                  brotli_types->holds(head.content_type) &&
                  long_enough(head, brotli_min_length.get());
  const bool gz = gzip.get() && accepted.takes(Coding::Gzip) &&
                  gzip_types->holds(head.content_type) &&
                  long_enough(head, gzip_min_length.get()) && allows_gzip(request, head);
  if (br && (!gz || accepted.weight(Coding::Brotli) >= accepted.weight(Coding::Gzip)))
    return Coding::Brotli;
  return gz ? Coding::Gzip : Coding::Identity;
}

EncoderOptions EncodingSettings::encoder(Coding coding) const {
  if (coding == Coding::Brotli) return {coding, brotli_level.get(), brotli_window.get(), {}};
  return {coding, gzip_level.get(), gzip_window.get(), {}};
}

void EncodingSettings::inherit(const Settings& outer) {
  const auto& from = as<EncodingSettings>(outer);
  gzip.inherit(from.gzip);
  brotli.inherit(from.brotli);
  gunzip.inherit(from.gunzip);
  gzip_vary.inherit(from.gzip_vary);
  gzip_types.inherit(from.gzip_types);
  brotli_types.inherit(from.brotli_types);
  gzip_min_length.inherit(from.gzip_min_length);
  brotli_min_length.inherit(from.brotli_min_length);
  gzip_level.inherit(from.gzip_level);
  brotli_level.inherit(from.brotli_level);
  gzip_window.inherit(from.gzip_window);
  brotli_window.inherit(from.brotli_window);
  gzip_http_version.inherit(from.gzip_http_version);
  gzip_proxied.inherit(from.gzip_proxied);
  gzip_disable.inherit(from.gzip_disable);
}

void add_vary(ResponseHead& head) {
  if (!head.headers.has_token("Vary", "Accept-Encoding"))
    head.headers.add("Vary", "Accept-Encoding");
}

void weaken_etag(ResponseHead& head, Arena& arena) {
  if (head.etag.starts_with('"'))
    head.etag = arena.join({"W/", head.etag});
  else if (!head.etag.starts_with("W/"))
    head.etag = {};  // nginx: what is no entity tag cannot be made a weak one
}

}  // namespace gatescope::http

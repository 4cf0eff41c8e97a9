#include "conf/unsupported.h"

namespace gatescope::conf {
namespace {

struct Family {
  std::string_view beginning;  // a name that ends in '_' stands for all that begin so
  std::string_view reason;
};

constexpr Family kFamilies[] = {
    {"fastcgi_", "FastCGI is not spoken here, let the application speak HTTP and use proxy_pass"},
    {"uwsgi_",
     "the uwsgi protocol is not spoken here, let the application speak HTTP and use proxy_pass"},
    {"scgi_", "SCGI is not spoken here, let the application speak HTTP and use proxy_pass"},
    {"grpc_", "gRPC upstreams are not supported"},
    {"memcached_", "memcached upstreams are not supported"},
    {"mail", "mail proxying is out of scope"},
    {"stream", "stream proxying is out of scope"},
    {"perl_", "there is no embedded Perl"},
    {"perl", "there is no embedded Perl"},
    {"js_", "there is no embedded JavaScript"},
    {"lua_", "there is no embedded Lua"},
    {"content_by_lua_", "there is no embedded Lua"},
    {"http3", "HTTP/3 is not supported yet, use http2 on;"},
    {"http3_", "HTTP/3 is not supported yet, use http2 on;"},
    {"quic_", "HTTP/3 is not supported yet, use http2 on;"},
    {"dav_", "WebDAV is not supported"},
    {"create_full_put_path", "WebDAV is not supported"},
    {"xslt_", "XSLT is not supported"},
    {"xml_entities", "XSLT is not supported"},
    {"image_filter", "images are not transformed here"},
    {"image_filter_", "images are not transformed here"},
    {"geoip_", "GeoIP databases are not read, use geo"},
    {"ssi", "server-side includes are not supported"},
    {"ssi_", "server-side includes are not supported"},
    {"mp4", "media streaming is not supported, plain ranges are"},
    {"mp4_", "media streaming is not supported, plain ranges are"},
    {"flv", "media streaming is not supported, plain ranges are"},
    {"slice", "slicing is not supported"},
    {"secure_link", "secure links are not supported"},
    {"secure_link_", "secure links are not supported"},
    {"userid", "user identification cookies are not supported"},
    {"userid_", "user identification cookies are not supported"},
    {"split_clients", "clients are not split here, a map of a cookie or an address may do"},
    {"auth_request", "requests are not authorized by another server here, use auth_basic"},
    {"auth_request_", "requests are not authorized by another server here, use auth_basic"},
    {"auth_jwt", "requests are not authorized by tokens here, use auth_basic"},
    {"auth_jwt_", "requests are not authorized by tokens here, use auth_basic"},
    {"sub_filter", "bodies are not rewritten here"},
    {"sub_filter_", "bodies are not rewritten here"},
    {"add_before_body", "bodies are not added to here"},
    {"add_after_body", "bodies are not added to here"},
    {"addition_types", "bodies are not added to here"},
    {"mirror", "requests are not mirrored here"},
    {"mirror_", "requests are not mirrored here"},
    {"valid_referers", "referers are not judged here, a map of $http_referer may do"},
    {"referer_hash_", "referers are not judged here, a map of $http_referer may do"},
    {"random_index", "name one file by index"},
    {"empty_gif", "name a file, or return 204"},
    {"ancient_browser", "browsers are not judged here, a map of $http_user_agent may do"},
    {"modern_browser", "browsers are not judged here, a map of $http_user_agent may do"},
    {"proxy_no_cache", "proxied answers are not cached here"},
    {"proxy_force_ranges", "ranges are what the upstream answers"},
    {"proxy_cache", "proxied answers are not cached here"},
    {"proxy_cache_", "proxied answers are not cached here"},
    {"proxy_store", "proxied answers are not stored here"},
    {"proxy_store_", "proxied answers are not stored here"},
};

}  // namespace

std::optional<std::string_view> why_unsupported(std::string_view name) {
  for (const Family& family : kFamilies) {
    if (family.beginning.ends_with('_') ? name.starts_with(family.beginning)
                                        : name == family.beginning) {
      return family.reason;
    }
  }
  return std::nullopt;
}

}  // namespace gatescope::conf

#include "proxy/upstream/upstream_lint.h"

#include <fmt/format.h>

#include <string_view>

namespace gatescope::upstream {

void lint_upstream(conf::Lint& lint) {
  for (const char* name : {"proxy_set_header", "proxy_hide_header", "proxy_pass_header"})
    lint.warn_of_lost(name);
  lint.each_block([&](conf::Lint::Path path) {
    for (const auto* pass : conf::find_all_in(*path.back(), "proxy_pass")) {
      const auto url = pass->arg(0);
      const auto scheme = url.find("://");
      const auto host = url.substr(scheme == std::string_view::npos ? 0 : scheme + 3);
      const auto server = host.substr(0, host.find('/'));
      for (const char* from_client :
           {"host", "http_host", "arg_host", "arg_url", "request_uri", "uri"})
        if (conf::names_variable(server, from_client))
          lint.warn(pass->place,
                    fmt::format("\"proxy_pass\" to ${} lets a client choose the server behind: a "
                                "map of the names that are meant, or an upstream",
                                from_client));
      const auto uri = host.find('/');
      if (uri != std::string_view::npos && conf::names_variable(host.substr(uri), "uri"))
        lint.warn(pass->place,
                  "\"proxy_pass\" with $uri sends the decoded path, in which a client may have put "
                  "anything: $request_uri, or no path at all");
    }
  });
}

}  // namespace gatescope::upstream

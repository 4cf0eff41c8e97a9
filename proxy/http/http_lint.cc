#include "proxy/http/http_lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "proxy/base/text.h"

namespace gatescope::http {

namespace {

using conf::Directive;
using conf::find_all_in;
using conf::find_in;
using conf::Lint;
using conf::names_variable;

bool is_redirect(const Directive& d) {
  if (d.name == "return" && d.count() > 0) {
    const auto word = d.arg(d.count() - 1);
    const auto code = d.arg(0);
    return code == "301" || code == "302" || code == "303" || code == "307" || code == "308" ||
           (d.count() == 1 && (word.starts_with("http://") || word.starts_with("https://")));
  }
  return d.name == "rewrite" && d.count() > 1 &&
         (d.arg(1).starts_with("http://") || d.arg(1).starts_with("https://") ||
          d.arg(1).starts_with("$scheme") ||
          (d.count() > 2 && (d.arg(2) == "redirect" || d.arg(2) == "permanent")));
}

std::string_view target_of(const Directive& redirect) {
  return redirect.name == "return" ? redirect.arg(redirect.count() - 1) : redirect.arg(1);
}

bool has_name(const Directive& server) {
  for (const auto* names : find_all_in(server, "server_name"))
    for (const auto& argument : names->arguments)
      if (argument.text != "_" && !argument.text.empty() && !argument.text.starts_with('~'))
        return true;
  return false;
}

/// $uri is decoded: %0D%0A in it would begin a new field where somebody forgot to look.
void look_at_redirects(Lint& lint) {
  lint.each_block([&](Lint::Path path) {
    const Directive* server = nullptr;
    for (const auto* block : path)
      if (block->name == "server") server = block;
    if (server == nullptr) return;
    for (const auto& d : path.back()->block) {
      if (!is_redirect(d)) continue;
      const auto target = target_of(d);
      if (names_variable(target, "uri") || names_variable(target, "document_uri"))
        lint.warn(d.place,
                  "a redirect to $uri, which is decoded, lets a client write into the "
                  "answer: $request_uri is what came");
      const bool chosen = std::ranges::any_of(path, [](const auto* block) {
        return block->name == "if" && block->count() > 0 &&
               block->arg(0).find("$host") != std::string_view::npos;
      });
      if (names_variable(target, "host") && !has_name(*server) && !chosen)
        lint.warn(d.place,
                  "a server without a name redirects to $host, which is what the client "
                  "wrote: a server_name here, or the site's name instead of $host");
    }
  });
}

void look_at_access(Lint& lint) {
  lint.each_block([&](Lint::Path path) {
    const auto* allow = find_in(*path.back(), "allow");
    if (allow == nullptr || find_in(*path.back(), "deny") != nullptr) return;
    if (path.back()->name == "limit_except" ||
        std::ranges::any_of(find_all_in(*path.back(), "allow"),
                            [](const auto* d) { return d->arg(0) == "all"; }))
      return;
    lint.warn(allow->place,
              "\"allow\" without \"deny\" lets everybody in: \"deny all;\" behind it");
  });
}

void look_at_tokens(Lint& lint) {
  lint.each_block([&](Lint::Path path) {
    if (path.empty()) return;
    const auto* tokens = find_in(*path.back(), "server_tokens");
    if (tokens != nullptr && tokens->arg(0) != "off")
      lint.warn(tokens->place, "\"server_tokens\" tells everybody the version: \"off\"");
  });
}

std::string key_of(const Directive& location) {
  std::string key;
  for (const auto& argument : location.arguments)
    key += argument.text + ' ';
  return key;
}

void look_at_locations(Lint& lint) {
  lint.each_block([&](Lint::Path path) {
    const auto& block = *path.back();
    if (block.name != "server" && block.name != "location") return;
    // A location's own is not inherited by those within it.
    const auto* answer = block.name == "server" ? find_in(block, "return") : nullptr;
    std::map<std::string, const Directive*> regexes;
    for (const auto* location : find_all_in(block, "location")) {
      if (answer != nullptr && !location->arg(0).starts_with('@')) {
        lint.warn(location->place,
                  fmt::format("nothing reaches this location: \"return\" at {} answers before it",
                              conf::to_string(answer->place)));
        answer = nullptr;  // once is enough
      }
      if (!location->arg(0).starts_with('~')) continue;
      const auto [same, added] = regexes.emplace(key_of(*location), location);
      if (!added)
        lint.warn(location->place,
                  fmt::format("nothing reaches this location: the one at {} is the same and comes "
                              "first",
                              conf::to_string(same->second->place)));
    }
  });
}

bool listens_with_tls(const Directive& server) {
  return std::ranges::any_of(find_all_in(server, "listen"), [](const auto* listen) {
    return std::ranges::any_of(listen->arguments, [](const auto& a) { return a.text == "ssl"; });
  });
}

/// A listen without ssl, for the world.
const Directive* plain_listen(const Directive& server) {
  for (const auto* listen : find_all_in(server, "listen")) {
    const auto address = listen->arg(0);
    if (address.starts_with("unix:") || address.starts_with("127.") ||
        address.starts_with("localhost") || address.starts_with("[::1]"))
      continue;
    if (std::ranges::none_of(listen->arguments, [](const auto& a) { return a.text == "ssl"; }))
      return listen;
  }
  return nullptr;
}

bool redirects_somewhere(const Directive& block) {
  return std::ranges::any_of(block.block, [](const auto& d) {
    return (is_redirect(d) && target_of(d).find("https") != std::string_view::npos) ||
           (d.has_block && redirects_somewhere(d));
  });
}

/// A name that has TLS is served in clear, too, and nobody is sent there.
void look_at_plain_http(Lint& lint) {
  for (const auto& http : lint.document().directives) {
    if (http.name != "http") continue;
    std::set<std::string> secure;
    for (const auto* server : find_all_in(http, "server"))
      if (listens_with_tls(*server))
        for (const auto* names : find_all_in(*server, "server_name"))
          for (const auto& name : names->arguments)
            secure.insert(lower(name.text));
    for (const auto* server : find_all_in(http, "server")) {
      const auto* listen = plain_listen(*server);
      if (listen == nullptr || redirects_somewhere(*server)) continue;
      for (const auto* names : find_all_in(*server, "server_name"))
        for (const auto& name : names->arguments)
          if (secure.erase(lower(name.text)) > 0)
            lint.warn(
                listen->place,
                fmt::format("\"{}\" has TLS and is served in clear here, too: a server of its "
                            "own for this port with \"return 301 https://$host$request_uri;\"",
                            name.text));
    }
  }
}

}  // namespace

void lint_http(conf::Lint& lint) {
  lint.warn_of_lost("add_header");
  lint.warn_of_lost("add_trailer");
  look_at_redirects(lint);
  look_at_access(lint);
  look_at_tokens(lint);
  look_at_locations(lint);
  look_at_plain_http(lint);
}

}  // namespace gatescope::http

#include <fmt/format.h>

#include <bit>

#include "conf/setters.h"
#include "proxy/http/encoding_settings.h"

namespace gatescope::http {
namespace {

using conf::Arity;
using conf::Context;
using conf::Contexts;
using conf::Directive;
using conf::Loader;
using conf::Scope;

constexpr std::string_view kBuffers = "Output goes through one buffer per response.";

template <conf::Inherited<TypeSet> EncodingSettings::*Field>
Result<void> apply_types(Loader& loader, Scope& scope, const Directive& d) {
  auto& field = scope.own<EncodingSettings>().*Field;
  auto types = field.is_set() ? field.get() : TypeSet{"text/html"};
  for (const auto& argument : d.arguments)
    if (!types.add(argument.text))
      loader.warn(argument.place, fmt::format("duplicate MIME type \"{}\"", argument.text));
  field.set(std::move(types));
  return {};
}

template <conf::Inherited<int> EncodingSettings::*Field>
Result<void> apply_level(Loader& loader, Scope& scope, const Directive& d) {
  constexpr bool kBrotli = Field == &EncodingSettings::brotli_level;
  const auto level = loader.number(d);
  if (!level) return level.error();
  const unsigned least = kBrotli ? 0 : 1, most = kBrotli ? 11 : 9;
  if (*level < least || *level > most)
    return Loader::fail(d, fmt::format("value must be between {} and {}", least, most));
  return loader.set_once(scope.own<EncodingSettings>().*Field, static_cast<int>(*level), d);
}

/// A size that is a power of two, kept as its logarithm.
template <conf::Inherited<int> EncodingSettings::*Field>
Result<void> apply_window(Loader& loader, Scope& scope, const Directive& d) {
  constexpr bool kBrotli = Field == &EncodingSettings::brotli_window;
  const auto size = loader.size(d);
  if (!size) return size.error();
  const std::uint64_t least = kBrotli ? 1024 : 512, most = kBrotli ? 16u << 20 : 32768;
  if (!std::has_single_bit(*size) || *size < least || *size > most)
    return Loader::fail(
        d, fmt::format("must be a power of two between {} and {}k", least, most / 1024));
  return loader.set_once(scope.own<EncodingSettings>().*Field, std::countr_zero(*size), d);
}

Result<void> apply_http_version(Loader& loader, Scope& scope, const Directive& d) {
  constexpr std::string_view kWords[] = {"1.0", "1.1"};
  const auto word = loader.choice(d, 0, kWords);
  if (!word) return word.error();
  return loader.set_once(scope.own<EncodingSettings>().gzip_http_version,
                         *word == 0 ? Version::Http10 : Version::Http11, d);
}

Result<void> apply_proxied(Loader& loader, Scope& scope, const Directive& d) {
  constexpr std::string_view kWords[] = {"off",      "expired", "no-cache",
                                         "no-store", "private", "no_last_modified",
                                         "no_etag",  "auth",    "any"};
  GzipProxied rule;
  bool* const kFlags[] = {nullptr,        &rule.expired,    &rule.no_cache,
                          &rule.no_store, &rule.is_private, &rule.no_last_modified,
                          &rule.no_etag,  &rule.auth,       &rule.any};
  for (std::size_t i = 0; i < d.count(); ++i) {
    const auto word = loader.choice(d, i, kWords);
    if (!word) return word.error();
    if (*word == 0 && d.count() > 1) return Loader::fail(d, "\"off\" stands alone");
    if (kFlags[*word]) *kFlags[*word] = true;
  }
  return loader.set_once(scope.own<EncodingSettings>().gzip_proxied, rule, d);
}

Result<void> apply_disable(Loader& loader, Scope& scope, const Directive& d) {
  std::vector<conf::Regex> expressions;
  for (const auto& argument : d.arguments) {
    if (argument.text == "degradation") continue;
    // nginx's special word: Internet Explorer 4 to 6, but for the repaired 6.0
    const std::string_view text =
        argument.text == "msie6" ? "MSIE [4-6]\\.(?!.*SV1)" : std::string_view(argument.text);
    auto regex = conf::Regex::compile(text, true);
    if (!regex) return Loader::fail_at(argument.place, regex.error().detail);
    expressions.push_back(std::move(*regex));
  }
  return loader.set_once(
      scope.own<EncodingSettings>().gzip_disable,
      std::shared_ptr<const std::vector<conf::Regex>>(
          std::make_shared<const std::vector<conf::Regex>>(std::move(expressions))),
      d);
}

const conf::DirectiveSpec kEncodingDirectives[] = {
    {.name = "gzip",
     .contexts = conf::kHttpLevelsAndIf,
     .arity = {1, 1},
     .syntax = "gzip on | off;",
     .fallback = "off",
     .doc =
         "Compresses answers for clients that take gzip. Small files are compressed once and kept "
         "in the file cache; other answers stream, and nothing is held back while their source "
         "pauses.",
     .apply = conf::set_flag<&EncodingSettings::gzip>},
    {.name = "gzip_types",
     .contexts = conf::kHttpLevels,
     .arity = {1, Arity::kAny},
     .syntax = "gzip_types type ... | *;",
     .fallback = "text/html",
     .doc = "The types that gzip compresses, text/html always.",
     .apply = apply_types<&EncodingSettings::gzip_types>},
    {.name = "gzip_min_length",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "gzip_min_length length;",
     .fallback = "20",
     .doc = "Shorter bodies are not compressed, where the length is known.",
     .apply = conf::set_size<&EncodingSettings::gzip_min_length>},
    {.name = "gzip_comp_level",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "gzip_comp_level level;",
     .fallback = "1",
     .doc = "1 (fast) to 9 (small).",
     .apply = apply_level<&EncodingSettings::gzip_level>},
    {.name = "gzip_http_version",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "gzip_http_version 1.0 | 1.1;",
     .fallback = "1.1",
     .doc = "The lowest version of a request that is answered with gzip.",
     .apply = apply_http_version},
    {.name = "gzip_proxied",
     .contexts = conf::kHttpLevels,
     .arity = {1, Arity::kAny},
     .syntax = "gzip_proxied off | expired | no-cache | no-store | private | no_last_modified | "
               "no_etag | auth | any ...;",
     .fallback = "off",
     .doc = "Which answers are compressed for a proxy (a request with Via).",
     .apply = apply_proxied},
    {.name = "gzip_disable",
     .contexts = conf::kHttpLevels,
     .arity = {1, Arity::kAny},
     .syntax = "gzip_disable regex ...;",
     .doc = "No gzip for clients whose User-Agent matches; `msie6` stands for Internet Explorer 4 "
            "to 6.",
     .apply = apply_disable},
    {.name = "gzip_vary",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "gzip_vary on | off;",
     .fallback = "off",
     .doc =
         "Adds Vary: Accept-Encoding where the answer depends on it, for brotli and precompressed "
         "files too. Where caches stand before the server it should be on.",
     .apply = conf::set_flag<&EncodingSettings::gzip_vary>},
    {.name = "gzip_window",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "gzip_window size;",
     .fallback = "32k",
     .doc = "How far back gzip looks for what repeats.",
     .apply = apply_window<&EncodingSettings::gzip_window>},
    {.name = "gunzip",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "gunzip on | off;",
     .fallback = "off",
     .doc = "Decompresses answers that come with Content-Encoding: gzip for clients that do not "
            "take it.",
     .apply = conf::set_flag<&EncodingSettings::gunzip>},
    {.name = "brotli",
     .contexts = conf::kHttpLevelsAndIf,
     .arity = {1, 1},
     .syntax = "brotli on | off;",
     .fallback = "off",
     .doc =
         "Like gzip, with brotli; preferred where a client takes both as gladly. A streamed body "
         "costs about 1 MB of memory while it is sent.",
     .apply = conf::set_flag<&EncodingSettings::brotli>,
     .note =
         "The directives of ngx_brotli; gzip_http_version, gzip_proxied and gzip_disable do not "
         "concern it."},
    {.name = "brotli_types",
     .contexts = conf::kHttpLevels,
     .arity = {1, Arity::kAny},
     .syntax = "brotli_types type ... | *;",
     .fallback = "text/html",
     .doc = "The types that brotli compresses, text/html always.",
     .apply = apply_types<&EncodingSettings::brotli_types>},
    {.name = "brotli_min_length",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "brotli_min_length length;",
     .fallback = "20",
     .doc = "Shorter bodies are not compressed, where the length is known.",
     .apply = conf::set_size<&EncodingSettings::brotli_min_length>},
    {.name = "brotli_comp_level",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "brotli_comp_level level;",
     .fallback = "6",
     .doc = "0 (fast) to 11 (small, and slow: for files that are kept in the cache at most).",
     .apply = apply_level<&EncodingSettings::brotli_level>},
    {.name = "brotli_window",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "brotli_window size;",
     .fallback = "512k",
     .doc = "How far back brotli looks for what repeats.",
     .apply = apply_window<&EncodingSettings::brotli_window>},
    {.name = "gzip_buffers",
     .contexts = conf::kHttpLevels,
     .arity = {2, 2},
     .syntax = "gzip_buffers number size;",
     .doc = kBuffers},
    {.name = "gzip_hash",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "gzip_hash size;",
     .doc = kBuffers},
    {.name = "gzip_no_buffer",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "gzip_no_buffer on | off;",
     .doc = kBuffers},
    {.name = "postpone_gzipping",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "postpone_gzipping size;",
     .doc = kBuffers},
    {.name = "gunzip_buffers",
     .contexts = conf::kHttpLevels,
     .arity = {2, 2},
     .syntax = "gunzip_buffers number size;",
     .doc = kBuffers},
    {.name = "brotli_buffers",
     .contexts = conf::kHttpLevels,
     .arity = {2, 2},
     .syntax = "brotli_buffers number size;",
     .doc = kBuffers},
};

}  // namespace

std::span<const conf::DirectiveSpec> encoding_directives() {
  return kEncodingDirectives;
}

}  // namespace gatescope::http

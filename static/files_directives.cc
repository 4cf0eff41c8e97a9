#include "static/files_directives.h"

#include <fmt/format.h>

#include "conf/setters.h"
#include "proxy/http/variables.h"
#include "static/files_settings.h"

namespace gatescope::files {
namespace {

using conf::Arity;
using conf::Context;
using conf::Contexts;
using conf::Directive;
using conf::DirectiveSpec;
using conf::Loader;
using conf::Scope;

constexpr Contexts kLevelsAndIf = conf::kHttpLevels | Context::LocationIf;
constexpr std::string_view kOtherWays =
    "Large files are sent by sendfile, or read by position in pieces of 64 KB.";

/// The value at the place of the word that was written.
template <auto Field, class Value, std::size_t N>
Result<void> set_choice(Loader& loader, Scope& scope, const Directive& d,
                        const std::string_view (&words)[N], const Value (&values)[N]) {
  const auto chosen = loader.choice(d, 0, words);
  if (!chosen) return chosen.error();
  return loader.set_once(scope.own<FileSettings>().*Field, values[*chosen], d);
}

template <conf::Inherited<TwinRule> FileSettings::*Field>
Result<void> apply_twin(Loader& loader, Scope& scope, const Directive& d) {
  return set_choice<Field>(loader, scope, d, {"off", "on", "always"},
                           {TwinRule::Off, TwinRule::On, TwinRule::Always});
}

Result<void> apply_autoindex_format(Loader& loader, Scope& scope, const Directive& d) {
  return set_choice<&FileSettings::autoindex_format>(
      loader, scope, d, {"html", "xml", "json", "jsonp"},
      {ListingFormat::Html, ListingFormat::Xml, ListingFormat::Json, ListingFormat::Jsonp});
}

/// nginx lets `index` stand several times on a level: the names add up.
Result<void> apply_index(Loader& loader, Scope& scope, const Directive& d) {
  auto& field = scope.own<FileSettings>().index;
  auto names = field.is_set() ? field.get() : std::vector<conf::Template>();
  for (std::size_t i = 0; i < d.count(); ++i) {
    const auto& argument = d.arguments[i];
    if (argument.text.empty())
      return Loader::fail_at(argument.place, "index \"\" in \"index\" directive is invalid");
    if (argument.text.starts_with('/') && i + 1 != d.count())
      loader.warn(argument.place, "only the last index in \"index\" directive should be absolute");
    auto compiled = conf::Template::compile(argument.text, loader.service<http::VariableTable>());
    if (!compiled) return Loader::fail_at(argument.place, compiled.error().detail);
    names.push_back(std::move(*compiled));
  }
  field.set(std::move(names));
  return {};
}

/// Understood when the location is built: it may name variables that later lines define.
Result<void> apply_try_files(Loader&, Scope& scope, const Directive& d) {
  auto& settings = scope.own<FileSettings>();
  if (settings.try_files) return Loader::fail(d, "is duplicate");
  if (settings.spa)
    return Loader::fail(d, "\"spa_fallback\" replaces \"try_files\": remove one of them");
  settings.try_files = &d;
  return {};
}

const DirectiveSpec kFilesDirectives[] = {
    {.name = "index",
     .contexts = conf::kHttpLevels,
     .arity = {1, Arity::kAny},
     .syntax = "index file ...;",
     .fallback = "index.html",
     .doc =
         "The files that stand for a folder, the first that is there. A name with a leading slash "
         "is a path of the site.",
     .apply = apply_index},
    {.name = "autoindex",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "autoindex on | off;",
     .fallback = "off",
     .doc = "Lists a folder that has no index file. Names that begin with a dot are left out.",
     .apply = conf::set_flag<&FileSettings::autoindex>,
     .note = "A folder with more than 100000 entries is answered with 500."},
    {.name = "autoindex_format",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "autoindex_format html | xml | json | jsonp;",
     .fallback = "html",
     .doc = "The form of a listing; jsonp calls the function that the argument `callback` names.",
     .apply = apply_autoindex_format},
    {.name = "autoindex_exact_size",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "autoindex_exact_size on | off;",
     .fallback = "on",
     .doc = "Sizes in bytes, or rounded (HTML).",
     .apply = conf::set_flag<&FileSettings::autoindex_exact_size>},
    {.name = "autoindex_localtime",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "autoindex_localtime on | off;",
     .fallback = "off",
     .doc = "Times of the local time zone, or UTC (HTML).",
     .apply = conf::set_flag<&FileSettings::autoindex_localtime>},
    {.name = "try_files",
     .contexts = Context::Server | Context::Location,
     .arity = {2, Arity::kAny},
     .syntax = "try_files file ... uri | =code | @name;",
     .doc =
         "Answers with the first file that is there (a name that ends in a slash: folder), else as "
         "the last parameter says.",
     .apply = apply_try_files},
    {.name = "spa_fallback",
     .contexts = conf::only(Context::Location),
     .arity = {1, 2},
     .syntax = "spa_fallback page [hashed=/folder/];",
     .doc = "For an application of one page: what is missing is answered with the page when the "
            "browser navigates, and with 404 when it asks for an asset. The page is sent with "
            "Cache-Control: no-cache, names with a content hash below `hashed` as immutable.",
     .apply = apply_spa_fallback,
     .note = "A word of our own."},
    {.name = "types",
     .contexts = conf::kHttpLevels,
     .arity = {0, 0, true},
     .syntax = "types { type extension ...; }",
     .doc = "Which type a file has by its extension.",
     .apply = apply_types,
     .note = "Without it the system's table (/etc/mime.types) and a built-in one are used."},
    {.name = "dotfiles",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "dotfiles on | off;",
     .fallback = "off",
     .doc =
         "Whether paths with a segment that begins with a dot are served. Below /.well-known/ they "
         "always are.",
     .apply = conf::set_flag<&FileSettings::dotfiles>,
     .note = "A word of our own; nginx serves them."},
    {.name = "etag",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "etag on | off;",
     .fallback = "on",
     .doc =
         "Whether files have an ETag: time of the last change and size, and the encoding of what "
         "is sent compressed.",
     .apply = conf::set_flag<&FileSettings::etag>},
    {.name = "disable_symlinks",
     .contexts = conf::kHttpLevels,
     .arity = {1, 2},
     .syntax = "disable_symlinks off | on | if_not_owner [from=part];",
     .fallback = "off",
     .doc = "Whether symbolic links are followed. Below `from` only, where it is given.",
     .apply = apply_disable_symlinks,
     .note = "Files of such a location are opened at each request, not cached."},
    {.name = "gzip_static",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "gzip_static on | off | always;",
     .fallback = "off",
     .doc = "Sends file.gz, made beforehand, in place of the file when the client takes gzip.",
     .apply = apply_twin<&FileSettings::gzip_static>},
    {.name = "brotli_static",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "brotli_static on | off | always;",
     .fallback = "off",
     .doc = "As gzip_static with file.br; preferred where a client takes several encodings as "
            "gladly.",
     .apply = apply_twin<&FileSettings::brotli_static>},
    {.name = "zstd_static",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "zstd_static on | off | always;",
     .fallback = "off",
     .doc = "As gzip_static with file.zst; preferred to gzip.",
     .apply = apply_twin<&FileSettings::zstd_static>},
    {.name = "file_cache_size",
     .contexts = conf::only(Context::Http),
     .arity = {1, 1},
     .syntax = "file_cache_size size;",
     .fallback = "64m",
     .doc = "How much memory small files (up to 256k) and their compressed forms may take, all "
            "locations together. Those not asked for longest leave first.",
     .apply = conf::set_size<&FileSettings::cache_bytes>,
     .note = "A word of our own."},
    {.name = "open_file_cache",
     .contexts = conf::kHttpLevels,
     .arity = {1, 2},
     .syntax = "open_file_cache off | max=N [inactive=time];",
     .doc =
         "`off` opens every file anew. max: how many files the cache holds at most; inactive: how "
         "long it keeps what nobody asks for.",
     .apply = apply_open_file_cache,
     .note = "On by default: small files are kept in memory, file_cache_size in all."},
    {.name = "open_file_cache_valid",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "open_file_cache_valid time;",
     .fallback = "1s",
     .doc = "After so long the cache looks whether a file has changed. Changes that the system "
            "tells (inotify) show at once; a swapped symbolic link or a renamed folder above "
            "within this time.",
     .apply = conf::set_duration<&FileSettings::cache_valid>,
     .note = "nginx: 60s."},
    {.name = "open_file_cache_min_uses",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "open_file_cache_min_uses number;",
     .fallback = "1",
     .doc = "A file is kept when it was asked for so often within the inactive time.",
     .apply = conf::set_number<&FileSettings::cache_min_uses>},
    {.name = "open_file_cache_errors",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "open_file_cache_errors on | off;",
     .fallback = "off",
     .doc = "Whether the cache remembers that a file is missing.",
     .apply = conf::set_flag<&FileSettings::cache_errors>},
    {.name = "sendfile",
     .contexts = kLevelsAndIf,
     .arity = {1, 1},
     .syntax = "sendfile on | off;",
     .fallback = "on",
     .doc =
         "Whether files that are not kept in memory go from the page cache to a client without TLS "
         "by sendfile(2). nginx's default is off. Off is for file systems that do not bear it.",
     .apply = conf::set_flag<&FileSettings::sendfile>},
};

const DirectiveSpec kAccepted[] = {
    {.name = "sendfile_max_chunk",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "sendfile_max_chunk size;",
     .doc = kOtherWays},
    {.name = "tcp_nopush",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "tcp_nopush on | off;",
     .doc = kOtherWays},
    {.name = "output_buffers",
     .contexts = conf::kHttpLevels,
     .arity = {2, 2},
     .syntax = "output_buffers number size;",
     .doc = kOtherWays},
    {.name = "directio",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "directio size | off;",
     .doc = kOtherWays},
    {.name = "directio_alignment",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "directio_alignment size;",
     .doc = kOtherWays},
    {.name = "aio",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "aio on | off | threads[=pool];",
     .doc = "Reads that would block always go to a thread."},
    {.name = "aio_write",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "aio_write on | off;",
     .doc = kOtherWays},
    {.name = "read_ahead",
     .contexts = conf::kHttpLevels,
     .arity = {1, 1},
     .syntax = "read_ahead size;",
     .doc = kOtherWays},
};

}  // namespace

std::span<const conf::DirectiveSpec> file_directives() {
  return kFilesDirectives;
}

std::span<const conf::DirectiveSpec> accepted_file_directives() {
  return kAccepted;
}

}  // namespace gatescope::files

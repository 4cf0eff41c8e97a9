#include "static/try_files.h"

#include <fmt/format.h>

#include "proxy/http/exchange.h"
#include "static/hidden.h"

namespace gatescope::files {
namespace {

constexpr unsigned kMaxStatus = 999;  // what nginx lets be written

Result<conf::Template> compile(const conf::Argument& argument, std::string_view text,
                               conf::VariableNames& names) {
  auto compiled = conf::Template::compile(text, names);
  if (compiled) return compiled;
  return conf::Loader::fail_at(argument.place,
                               fmt::format("{} in \"try_files\"", compiled.error().detail));
}

}  // namespace

Result<TryFiles> read_try_files(const conf::Directive& directive, conf::VariableNames& names) {
  TryFiles tries;
  const std::size_t last = directive.count() - 1;
  for (std::size_t i = 0; i < last; ++i) {
    std::string_view text = directive.arg(i);
    const bool folder = text.ends_with('/');
    if (folder) text.remove_suffix(1);
    auto name = compile(directive.arguments[i], text, names);
    if (!name) return name.error();
    tries.candidates.push_back({std::move(*name), folder});
  }
  const auto& otherwise = directive.arguments[last];
  if (otherwise.text.starts_with('=')) {
    const auto status = parse_unsigned(std::string_view(otherwise.text).substr(1));
    if (!status || *status > kMaxStatus) {
      return conf::Loader::fail_at(
          otherwise.place,
          fmt::format("invalid code \"{}\", it must be \"=\" and a status such as 404",
                      otherwise.text));
    }
    tries.status = static_cast<int>(*status);
    return tries;
  }
  auto target = compile(otherwise, otherwise.text, names);
  if (!target) return target.error();
  tries.otherwise = std::move(*target);
  return tries;
}

TriedFile place_candidate(std::string_view root, std::string_view name, std::string_view path,
                          std::size_t alias, bool verbatim) {
  if (alias == 0) return {std::string(root).append(name), std::string(name)};
  const auto prefix = path.substr(0, alias);
  if (!verbatim && name.starts_with(prefix)) name.remove_prefix(prefix.size());
  return {std::string(root).append(name), std::string(prefix).append(name)};
}

TryFilesStep::TryFilesStep(TryFiles tries, const FileSettings& settings, FileCache& cache)
    : tries_(std::move(tries)), settings_(settings), use_(settings.cache_use()), cache_(cache) {}

http::StepResult TryFilesStep::run(http::Exchange& exchange) const {
  Arena& arena = exchange.arena();
  OpenOptions options;
  options.symlinks = settings_.symlinks->rule;
  if (!settings_.symlinks->trusted.empty())
    options.trusted = settings_.symlinks->trusted.evaluate(exchange, arena);
  const auto root = exchange.document_root();
  // Below a regex location the alias is a folder for try_files, and the whole file name without it
  const auto replaced = exchange.core().alias_prefix;
  const bool whole = replaced == http::CoreSettings::kWholePath;
  const std::size_t alias = whole ? 0 : replaced.value_or(0);
  const MonoTime now = exchange.loop().clock().now();
  for (const auto& candidate : tries_.candidates) {
    const auto name = candidate.name.evaluate(exchange, arena);
    const auto tried =
        place_candidate(root, name, exchange.request().path, alias, candidate.name.is_literal());
    // What is not served is not there.
    if (!settings_.dotfiles.get() && is_hidden(tried.uri)) continue;
    if (is_unsafe_path(tried.uri)) continue;
    const Found found = cache_.look(tried.file, use_, options, now);
    if (found.error != 0) {
      if (!means_missing(found.error)) {
        const auto what = fmt::format("{} \"{}\"", found.call, tried.file);
        exchange.log(LogLevel::Crit, system_error(found.error, what).detail);
      }
      continue;
    }
    if (found.is_directory() != candidate.folder) continue;
    exchange.set_uri(arena.copy(tried.uri), std::nullopt);
    if (whole) exchange.append_uri_to_alias();
    return http::StepResult::Next;
  }
  if (tries_.status != 0) {
    exchange.status(tries_.status, {});
  } else {
    exchange.redirect(tries_.otherwise.evaluate(exchange, arena));
  }
  return http::StepResult::Answered;
}

}  // namespace gatescope::files

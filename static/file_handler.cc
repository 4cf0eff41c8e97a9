#include "static/file_handler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "proxy/base/text.h"
#include "proxy/http/accept_encoding.h"
#include "proxy/http/exchange.h"
#include "static/file_answer.h"
#include "static/hidden.h"
#include "static/listing_responder.h"
#include "static/mime.h"
#include "static/spa_fallback.h"
#include "static/variant_responder.h"

namespace gatescope::files {
namespace {

class ExchangeSurroundings final : public Surroundings {
 public:
  explicit ExchangeSurroundings(http::Exchange& exchange) : exchange_(exchange) {}
  std::string_view map_to_file(std::string_view uri) override { return exchange_.map_to_file(uri); }
  std::string_view evaluate(const conf::Template& text) override {
    return text.evaluate(exchange_, exchange_.arena());
  }

 private:
  http::Exchange& exchange_;
};

/// So much is compressed on the loop itself: it takes less than the way to the lane and back.
constexpr std::uint64_t kCompressAtOnce = 8 * 1024;

bool means_forbidden(int error) {
  return error == EACCES || error == ELOOP || error == EMLINK;
}

}  // namespace

struct FileHandler::Call {
  const http::Request& request;
  Surroundings& around;
  http::ResponseWriter& writer;
  MonoTime now;
  OpenOptions options;
};

FileHandler::FileHandler(ServedLocation location, FileCache& cache, const FileLanes& lanes)
    : location_(std::move(location)),
      use_(location_.settings.cache_use()),
      cache_(cache),
      lanes_(lanes) {}

std::unique_ptr<http::Responder> FileHandler::start(const http::Request& request,
                                                    http::ResponseWriter& writer) const {
  ExchangeSurroundings around(writer.exchange());
  return serve(request, around, writer);
}

std::unique_ptr<http::Responder> FileHandler::serve(const http::Request& request,
                                                    Surroundings& around,
                                                    http::ResponseWriter& writer) const {
  const auto& settings = location_.settings;
  Call call{request, around, writer, writer.loop().clock().now(), {}};
  call.options.symlinks = settings.symlinks->rule;
  if (!settings.symlinks->trusted.empty())
    call.options.trusted = around.evaluate(settings.symlinks->trusted);
  // nginx finds out whether a file is there before it says that POST is wrong; other methods are
  // wrong whatever is there.
  if (!request.is_get_or_head() && request.head.method != "POST") {
    writer.status(405);
  } else if (!settings.dotfiles.get() && is_hidden(request.path)) {
    answer_missing(call);
  } else if (!location_.fixed_root && is_unsafe_path(around.map_to_file(request.path))) {
    answer_missing(call);
  } else if (request.path.ends_with('/')) {
    return serve_directory(call);
  } else {
    return serve_file(call);
  }
  return nullptr;
}

std::unique_ptr<http::Responder> FileHandler::serve_file(Call& call) const {
  const std::string_view path = call.around.map_to_file(call.request.path);
  FileAnswer answer;
  if (find_twin(call, path, answer)) return send(call, answer, path);
  const Found found = cache_.open(path, use_, call.options, call.now);
  if (found.is_directory()) {
    redirect_to_directory(call);
  } else if (found.error != 0) {
    answer_failed(call, found, path);
  } else if (!found.file) {
    call.writer.log(LogLevel::Crit, fmt::format("\"{}\" is not a regular file", path));
    call.writer.status(404);
  } else if (!call.request.is_get_or_head()) {
    call.writer.status(405);
  } else {
    answer.file = found.file;
    return send(call, answer, path);
  }
  return nullptr;
}

/// A small file's compressed form, made once and kept with it; larger files are compressed by the
/// filter as they stream. Null: `answer` is ready to be sent.
std::unique_ptr<http::Responder> FileHandler::compress(Call& call, FileAnswer& answer) const {
  const auto& encoding = location_.encoding;
  const bool on = encoding.gzip.get() || encoding.brotli.get();
  if (!on || location_.recodes || !answer.file->in_memory || !answer.encoding.empty() ||
      !call.request.is_get_or_head() || call.request.head.headers.has("via"))
    return nullptr;  // what a proxy may have depends on fields that filters add
  http::ResponseHead head;
  head.content_type = answer.content_type;
  head.content_length = answer.file->facts.size;
  if (!encoding.applies(head)) return nullptr;
  answer.vary = answer.vary || encoding.gzip_vary.get();
  answer.encoding_settled = true;
  const http::AcceptedEncodings accepted(call.request.head.headers);
  const auto coding = encoding.choose(call.request, accepted, head);
  if (coding == http::Coding::Identity) return nullptr;
  const auto options = encoding.encoder(coding);
  auto& variants = answer.file->variants;
  auto known = variants.find(options);
  if (known.state == FileVariants::State::Absent && variants.begin(options)) {
    auto* lane = lanes_.find(call.writer.loop());
    if (lane && answer.file->facts.size > kCompressAtOnce) {
      auto responder = std::make_unique<VariantResponder>(call.writer, cache_, answer, options);
      responder->begin(*lane);
      return responder;
    }
    variants.finish(options, make_variant(*answer.file, options));
    cache_.grew(answer.path, answer.file);
    known = variants.find(options);
  }
  if (known.state == FileVariants::State::Ready) {
    answer.plain_size = answer.file->facts.size;
    answer.file = std::move(known.version);
    answer.encoding = http::name_of(coding);
  }
  return nullptr;
}

/// ngx_http_gzip_static_module and its kin: the file's compressed twin that the client likes best.
/// With gzip_vary a twin that it does not take still makes the answer depend on Accept-Encoding.
bool FileHandler::find_twin(Call& call, std::string_view path, FileAnswer& answer) const {
  using http::Coding;
  struct Twin {
    Coding coding;
    TwinRule rule;
    std::string_view suffix;
  };
  const auto& settings = location_.settings;
  Twin twins[] = {{Coding::Brotli, settings.brotli_static.get(), "-br"},
                  {Coding::Zstd, settings.zstd_static.get(), "-zst"},
                  {Coding::Gzip, settings.gzip_static.get(), "-gz"}};
  const auto is_off = [](const Twin& twin) { return twin.rule == TwinRule::Off; };
  if (std::all_of(std::begin(twins), std::end(twins), is_off)) return false;
  if (!call.request.is_get_or_head()) return false;
  const http::AcceptedEncodings accepted(call.request.head.headers);
  std::stable_sort(std::begin(twins), std::end(twins), [&](const Twin& a, const Twin& b) {
    return accepted.weight(a.coding) > accepted.weight(b.coding);
  });
  CacheUse use = use_;
  use.errors = true;  // most files have no twin; asking the disk once within `valid` is enough
  for (const auto& twin : twins) {
    if (is_off(twin)) continue;
    const bool vary = location_.encoding.gzip_vary.get() && twin.rule == TwinRule::On;
    const bool wanted = twin.rule == TwinRule::Always || takes(call, accepted, twin.coding);
    if (!wanted && !vary) continue;
    const auto name = call.writer.arena().join({path, http::extension_of(twin.coding)});
    Found found = cache_.open(name, use, call.options, call.now);
    if (!found.file) continue;
    answer.vary = answer.vary || vary;
    if (!wanted) continue;
    answer.file = std::move(found.file);
    answer.encoding = http::name_of(twin.coding);
    answer.etag_suffix = twin.suffix;
    return true;
  }
  return false;
}

/// Nothing of the answer is known yet but that it is a file, as in nginx.
bool FileHandler::takes(const Call& call, const http::AcceptedEncodings& accepted,
                        http::Coding coding) const {
  return accepted.takes(coding) &&
         (coding != http::Coding::Gzip || location_.encoding.allows_gzip(call.request, {}));
}

std::unique_ptr<http::Responder> FileHandler::send(Call& call, FileAnswer& answer,
                                                   std::string_view path) const {
  const auto& settings = location_.settings;
  answer.path = path;
  answer.content_type = type_of(*location_.types, call.request.path, location_.default_type);
  answer.etag = settings.etag.get();
  answer.sendfile = settings.sendfile.get();
  if (settings.spa) answer.cache_control = spa_cache_control(*settings.spa, call.request.path);
  if (auto compressing = compress(call, answer)) return compressing;
  return send_file(answer, call.writer, lanes_.find(call.writer.loop()));
}

/// ngx_http_index_module: the first index file that is there, by an internal redirect, so that
/// locations are matched anew (`location ~ \.php$` must not be passed by).
std::unique_ptr<http::Responder> FileHandler::serve_directory(Call& call) const {
  const auto path = call.request.path;
  const std::string_view folder = call.around.map_to_file(path);
  const auto redirect = [&](std::string_view to) {
    const auto& request = call.request;
    if (to.find('?') != std::string_view::npos) {  // a name's: the first one does not end the path
      call.writer.exchange().redirect(
          to, request.has_args ? std::optional(request.args) : std::nullopt);
    } else {
      call.writer.redirect(request.has_args ? call.writer.arena().join({to, "?", request.args})
                                            : to);
    }
    return nullptr;
  };
  bool folder_seen = false;
  for (const auto& entry : location_.settings.index.get()) {
    const std::string_view name = call.around.evaluate(entry);
    if (name.empty() || is_unsafe_path(name)) continue;
    if (name.starts_with('/')) return redirect(name);
    const auto found =
        cache_.look(call.writer.arena().join({folder, name}), use_, call.options, call.now);
    if (found.error == 0) {
      return redirect(call.writer.arena().join({path, name}));
    }
    if (means_forbidden(found.error)) {
      call.writer.log(LogLevel::Error, fmt::format("\"{}{}\" is forbidden ({})", folder, name,
                                                   system_error(found.error, found.call).detail));
      call.writer.status(403);
      return nullptr;
    }
    if (!folder_seen) {
      const auto below = cache_.look(folder, use_, call.options, call.now);
      if (means_missing(below.error)) {
        answer_failed(call, below, folder);
        return nullptr;
      }
      folder_seen = true;
    }
  }
  if (location_.settings.autoindex.get() && call.request.is_get_or_head())
    return list_directory(call, folder);
  call.writer.log(LogLevel::Error, fmt::format("directory index of \"{}\" is forbidden", folder));
  call.writer.status(403);
  return nullptr;
}

std::unique_ptr<http::Responder> FileHandler::list_directory(Call& call,
                                                             std::string_view folder) const {
  const auto options = location_.settings.listing();
  std::string_view callback;
  if (options.format == ListingFormat::Jsonp)
    for (const auto argument : split(call.request.args, '&'))
      if (callback.empty() && argument.starts_with("callback=")) callback = argument.substr(9);
  if (!is_valid_callback(callback)) {
    call.writer.log(LogLevel::Info, "client sent invalid JSONP callback");
    call.writer.status(400);
    return nullptr;
  }
  auto responder = std::make_unique<ListingResponder>(call.writer, std::string(folder),
                                                      std::string(call.request.path),
                                                      std::string(callback), options);
  responder->begin(lanes_.find(call.writer.loop()));
  return responder;
}

void FileHandler::redirect_to_directory(Call& call) const {
  std::string_view path = call.request.path;
  while (path.starts_with("//"))  // "//host" would lead away (absolute_redirect off)
    path.remove_prefix(1);
  call.writer.status(
      301, call.writer.arena().join({percent_encode_path(path), "/",
                                     call.request.args.empty() ? "" : "?", call.request.args}));
}

/// Nothing is there, and the log need not know which file that would have been.
void FileHandler::answer_missing(Call& call) const {
  const auto& spa = location_.settings.spa;
  if (!spa) return call.writer.status(404);
  // no-store: a cache must not keep a hole that a half-done deploy left
  answer_status(call.writer, 404, "Cache-Control", "no-store");
}

void FileHandler::answer_failed(Call& call, const Found& found, std::string_view path) const {
  const auto& spa = location_.settings.spa;
  const bool missing = means_missing(found.error);
  if (missing && spa && call.request.path != spa->index && is_navigation(*spa, call.request))
    return call.writer.redirect(spa->index);
  const bool known = missing || means_forbidden(found.error);
  if (!missing || location_.log_not_found) {
    const auto what = fmt::format("{} \"{}\"", found.call, path);
    call.writer.log(known ? LogLevel::Error : LogLevel::Crit,
                    system_error(found.error, what).detail);
  }
  if (missing) return answer_missing(call);
  call.writer.status(known ? 403 : 500);
}

}  // namespace gatescope::files

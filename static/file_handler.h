#pragma once

#include <memory>
#include <string_view>

#include "proxy/http/core_settings.h"
#include "proxy/http/encoding_settings.h"
#include "proxy/http/handler.h"
#include "static/file_cache.h"
#include "static/file_lanes.h"
#include "static/files_settings.h"

namespace gatescope::files {

struct FileAnswer;

/// What the handler asks of the exchange; the tests answer without one. Views live in the arena.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  virtual std::string_view map_to_file(std::string_view uri) = 0;  // root or alias
  virtual std::string_view evaluate(const conf::Template& text) = 0;
};

/// What a location says that concerns files. All of it lives as long as the generation.
struct ServedLocation {
  const FileSettings& settings;
  const http::EncodingSettings& encoding;
  std::shared_ptr<const http::MimeTypes> types;  // shared: the system's table is every location's
  std::string_view default_type;
  bool log_not_found = true;
  bool fixed_root = true;  // no variable in root or alias: its dots are the operator's
  bool recodes = false;    // a charset filter changes bodies: compressed forms are not of the file
};

/// Answers with files, as nginx's static, index, gzip_static and autoindex modules do. One per
/// location, owned by it; holds nothing of a request. Small files are answered at once from the
/// cache.
class FileHandler final : public http::Handler {
 public:
  /// The cache and the lanes outlive the handler: they are the module's.
  FileHandler(ServedLocation location, FileCache& cache, const FileLanes& lanes);

  http::HandlerKind kind() const override { return http::HandlerKind::Files; }
  std::unique_ptr<http::Responder> start(const http::Request& request,
                                         http::ResponseWriter& writer) const override;
  std::unique_ptr<http::Responder> serve(const http::Request& request, Surroundings& around,
                                         http::ResponseWriter& writer) const;

 private:
  struct Call;  // one request's arguments
  std::unique_ptr<http::Responder> serve_file(Call& call) const;
  std::unique_ptr<http::Responder> serve_directory(Call& call) const;
  std::unique_ptr<http::Responder> list_directory(Call& call, std::string_view folder) const;
  void redirect_to_directory(Call& call) const;
  bool find_twin(Call& call, std::string_view path, FileAnswer& answer) const;
  bool takes(const Call& call, const http::AcceptedEncodings& accepted, http::Coding coding) const;
  std::unique_ptr<http::Responder> compress(Call& call, FileAnswer& answer) const;
  std::unique_ptr<http::Responder> send(Call& call, FileAnswer& answer,
                                        std::string_view path) const;
  void answer_missing(Call& call) const;
  void answer_failed(Call& call, const Found& found, std::string_view path) const;

  const ServedLocation location_;
  const CacheUse use_;
  FileCache& cache_;
  const FileLanes& lanes_;
};

}  // namespace gatescope::files

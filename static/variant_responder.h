#pragma once

#include <memory>

#include "proxy/http/handler.h"
#include "proxy/net/loop.h"
#include "static/file_answer.h"
#include "static/file_cache.h"

namespace gatescope::files {

/// Makes a cached file's compressed form on the lane, then sends it: once per file, whoever asks
/// meanwhile gets the plain one. The Exchange owns it; when the client leaves while the work waits,
/// the next one does it.
class VariantResponder final : public http::Responder {
 public:
  /// After FileVariants::begin(). `answer` is what is sent when nothing comes of it; the cache
  /// outlives the work.
  VariantResponder(http::ResponseWriter& writer, FileCache& cache, FileAnswer answer,
                   const http::EncoderOptions& options);
  void begin(net::WorkerLane& lane);

 private:
  struct Job;
  void on_made();

  http::ResponseWriter& writer_;
  FileCache& cache_;
  FileAnswer answer_;
  const http::EncoderOptions options_;
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
};

}  // namespace gatescope::files

#include "static/variant_responder.h"

namespace gatescope::files {

/// Shared with the lane's thread. Destroyed without having run, it leaves the work to the next.
struct VariantResponder::Job {
  Job(std::shared_ptr<const FileVersion> plain, const http::EncoderOptions& options)
      : plain(std::move(plain)), options(options) {}
  const std::shared_ptr<const FileVersion> plain;
  const http::EncoderOptions options;
  bool done = false;
  ~Job() {
    if (!done) plain->variants.give_up(options);
  }
  void run() {
    plain->variants.finish(options, make_variant(*plain, options));
    done = true;
  }
};

VariantResponder::VariantResponder(http::ResponseWriter& writer, FileCache& cache,
                                   FileAnswer answer, const http::EncoderOptions& options)
    : writer_(writer), cache_(cache), answer_(std::move(answer)), options_(options) {}

void VariantResponder::begin(net::WorkerLane& lane) {
  auto job = std::make_shared<Job>(answer_.file, options_);
  auto ticket = lane.submit([job](unsigned) { job->run(); }, [this] { on_made(); });
  job.reset();
  if (!ticket) return on_made();  // the lane is busy: the plain file is better than none
  ticket_ = std::move(*ticket);
}

void VariantResponder::on_made() {
  const auto made = answer_.file->variants.find(options_);
  if (made.state == FileVariants::State::Ready) {
    cache_.grew(answer_.path, answer_.file);
    answer_.plain_size = answer_.file->facts.size;
    answer_.file = made.version;
    answer_.encoding = http::name_of(options_.coding);
  }
  send_file(answer_, writer_, nullptr);
}

}  // namespace gatescope::files

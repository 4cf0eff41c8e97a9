#include "static/listing_responder.h"

#include <fmt/format.h>

#include <cerrno>

#include "static/file_open.h"

namespace gatescope::files {

struct ListingResponder::Job {
  std::string folder, uri, callback;
  ListingOptions options;
  int error = 0;
  std::string_view call;
  std::string body;
  void run() {
    auto listing = read_folder(folder);
    error = listing.error;
    call = listing.call;
    if (error == 0) body = write_listing(listing.files, uri, options, callback);
  }
};

ListingResponder::ListingResponder(http::ResponseWriter& writer, std::string folder,
                                   std::string uri, std::string callback,
                                   const ListingOptions& options)
    : writer_(writer),
      job_(std::make_shared<Job>(
          Job{std::move(folder), std::move(uri), std::move(callback), options, 0, {}, {}})) {}

void ListingResponder::begin(net::WorkerLane* lane) {
  if (!lane) {
    job_->run();
    return answer();
  }
  auto ticket = lane->submit([job = job_](unsigned) { job->run(); }, [this] { answer(); });
  if (!ticket) return writer_.fail(ticket.error());
  ticket_ = std::move(*ticket);
}

void ListingResponder::answer() {
  if (job_->error != 0) {
    const int error = job_->error;
    const bool forbidden = error == EACCES || error == ELOOP;
    const bool known = forbidden || means_missing(error);
    writer_.log(
        known ? LogLevel::Error : LogLevel::Crit,
        error == E2BIG
            ? fmt::format("\"{}\" has more than {} entries", job_->folder, kMaxListed)
            : system_error(error, fmt::format("{} \"{}\"", job_->call, job_->folder)).detail);
    return writer_.status(means_missing(error) ? 404 : forbidden ? 403 : 500);
  }
  http::ResponseHead head;
  head.content_type = listing_type(job_->options, job_->callback);
  writer_.answer(std::move(head), SharedBytes(std::move(job_->body)));
}

}  // namespace gatescope::files

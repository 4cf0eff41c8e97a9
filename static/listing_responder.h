#pragma once

#include <memory>
#include <string>

#include "proxy/http/handler.h"
#include "proxy/net/loop.h"
#include "static/autoindex.h"

namespace gatescope::files {

/// Answers with a folder's listing, which is read and written on the lane: a folder on a slow disk,
/// or a large one, holds up nobody. The Exchange owns it; destroying it drops the work.
class ListingResponder final : public http::Responder {
 public:
  /// `folder` on disk, `uri` and `callback` as the client named them. `lane` may be null.
  ListingResponder(http::ResponseWriter& writer, std::string folder, std::string uri,
                   std::string callback, const ListingOptions& options);
  void begin(net::WorkerLane* lane);

 private:
  struct Job;
  void answer();

  http::ResponseWriter& writer_;
  const std::shared_ptr<Job> job_;  // shared with the lane's thread
  std::unique_ptr<net::WorkerLane::Ticket> ticket_;
};

}  // namespace gatescope::files

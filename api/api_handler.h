#pragma once

#include <memory>
#include <string>

#include "api/sequences.h"
#include "proxy/http/handler.h"

namespace gatescope::api {

/// Answers everything below the prefix of its location. Immutable, owned by the Generation; the
/// Sequences outlive it.
class ApiHandler final : public http::Handler {
 public:
  /// `prefix`: what the location names, without a slash at the end ("/api").
  ApiHandler(SequencesByLoop& sequences, std::string prefix, std::string commit);
  std::unique_ptr<http::Responder> start(const http::Request& request,
                                         http::ResponseWriter& writer) const override;

 private:
  std::unique_ptr<http::Responder> answer_sequence(const http::Request& request,
                                                   http::ResponseWriter& writer,
                                                   std::string_view id, Count count,
                                                   Need need) const;

  SequencesByLoop& sequences_;
  const std::string prefix_;
  const std::string commit_answer_;  // JSON
};

}  // namespace gatescope::api

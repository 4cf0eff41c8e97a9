#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/fixed_answer.h"
#include "api/sequences.h"
#include "proxy/http/handler.h"

namespace gatescope::api {

/// Answers everything below the prefix of its location. Immutable, owned by the Generation; the
/// Sequences outlive it.
class ApiHandler final : public http::Handler {
 public:
  /// `prefix`: what the location names, without a slash at the end ("/api").
  ApiHandler(SequencesByLoop& sequences, std::string prefix, std::string_view commit);
  http::HandlerKind kind() const override { return http::HandlerKind::Api; }
  std::unique_ptr<http::Responder> start(const http::Request& request,
                                         http::ResponseWriter& writer) const override;

 private:
  /// `path`: behind the prefix.
  std::unique_ptr<http::Responder> answer(const http::Request& request,
                                          http::ResponseWriter& writer,
                                          std::string_view path) const;
  std::unique_ptr<http::Responder> ask(const http::Request& request, http::ResponseWriter& writer,
                                       const Question& question) const;

  SequencesByLoop& sequences_;
  const std::string prefix_, search_;  // "/api", "/api/search_oeis"
  const FixedAnswer commit_, page_, description_;
};

}  // namespace gatescope::api

#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "api/answer_form.h"
#include "proxy/http/accept_encoding.h"

namespace gatescope::api {

/// A page that is part of the program, in every encoding. Immutable, owned by a handler.
class FixedAnswer {
 public:
  FixedAnswer(std::string_view content_type, std::string text);
  void send(http::Coding coding, http::ResponseWriter& writer) const;

 private:
  std::array<std::shared_ptr<const AnswerForm>, http::kCodings> forms_;
};

}  // namespace gatescope::api

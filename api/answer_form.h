#pragma once

#include <cstddef>
#include <memory>

#include "proxy/base/bytes.h"
#include "proxy/http/handler.h"
#include "proxy/http/prebuilt_head.h"

namespace gatescope::api {

/// An answer as it goes out: a body in one encoding, and its head as text, so that sending it costs
/// what sending a cached file costs. Immutable; held by the answer that it is a form of and by
/// every response that carries it, on any loop (the reason for shared_ptr).
class AnswerForm {
 public:
  /// Copies the texts of `head`, which says how long body and tail are. `tail` is sent behind the
  /// body: of a large cut, whose body is part of another.
  AnswerForm(const http::ResponseHead& head, SharedBytes body, SharedBytes tail = {})
      : head_(head), body_(std::move(body)), tail_(std::move(tail)) {}

  const http::ResponseHead& head() const { return head_.head(); }
  const SharedBytes& body() const { return body_; }
  const SharedBytes& tail() const { return tail_; }
  /// Memory held, without the bodies.
  std::size_t overhead() const { return sizeof(*this) + 2 * head_.text().size(); }

  static void send(const std::shared_ptr<const AnswerForm>& form, http::ResponseWriter& writer);

 private:
  const http::PrebuiltHead head_;
  const SharedBytes body_, tail_;
};

}  // namespace gatescope::api

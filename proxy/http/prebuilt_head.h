#pragma once

#include <nghttp2/nghttp2.h>

#include <string>
#include <vector>

#include "proxy/http/message.h"

namespace gatescope::http {

/// A response head made once and sent often: the status line and all fields but Server, Date and
/// those of the connection, as text that is copied in one piece. Immutable; owned by what it
/// describes (a cached file), shared by the responses that carry it.
class PrebuiltHead {
 public:
  /// Copies every text of `head`.
  explicit PrebuiltHead(const ResponseHead& head);
  PrebuiltHead(const PrebuiltHead&) = delete;
  PrebuiltHead& operator=(const PrebuiltHead&) = delete;

  /// The same head; its views live as long as this object.
  const ResponseHead& head() const { return head_; }
  const std::string& text() const { return text_; }
  /// The same as HTTP/2 says it: all fields but :status, server and date.
  const std::vector<nghttp2_nv>& http2_fields() const { return http2_fields_; }
  /// Whether the text still says what `head` says, which began as a copy of head(). A filter may
  /// have changed anything; fields added at the end are written behind it.
  bool describes(const ResponseHead& head) const;

 private:
  std::string_view keep(std::string_view text);
  void describe_for_http2();

  std::string storage_;  // what head_'s views lead to
  ResponseHead head_;
  std::string text_, http2_text_;
  std::vector<nghttp2_nv> http2_fields_;  // in http2_text_
};

}  // namespace gatescope::http

#include "proxy/http/prebuilt_head.h"

#include "proxy/http/http1_writer.h"
#include "proxy/http/http2_response.h"

namespace gatescope::http {
namespace {

/// Views of the same memory: filters replace texts, they do not write over them.
bool same(std::string_view a, std::string_view b) {
  return a.data() == b.data() && a.size() == b.size();
}

}  // namespace

PrebuiltHead::PrebuiltHead(const ResponseHead& head) : head_(head) {
  std::size_t size =
      head.reason.size() + head.content_type.size() + head.etag.size() + head.location.size();
  for (const auto& field : head.headers)
    size += field.name.size() + field.value.size();
  storage_.reserve(size);  // views must not move
  head_.reason = keep(head.reason);
  head_.content_type = keep(head.content_type);
  head_.etag = keep(head.etag);
  head_.location = keep(head.location);
  for (auto& field : head_.headers)
    field = {keep(field.name), keep(field.value)};
  head_.prebuilt = nullptr;
  write_description(text_, head_);
  describe_for_http2();
}

void PrebuiltHead::describe_for_http2() {
  Arena arena;
  Http2Fields fields;
  fill_description(fields, head_, arena);
  std::size_t size = 0;
  for (const auto& field : fields)
    size += field.namelen + field.valuelen;
  http2_text_.reserve(size);
  const auto keep_bytes = [&](const std::uint8_t* bytes, std::size_t count) {
    const auto at = http2_text_.size();
    http2_text_.append(reinterpret_cast<const char*>(bytes), count);
    return reinterpret_cast<std::uint8_t*>(http2_text_.data() + at);
  };
  for (auto field : fields) {
    field.name = keep_bytes(field.name, field.namelen);
    field.value = keep_bytes(field.value, field.valuelen);
    http2_fields_.push_back(field);
  }
}

std::string_view PrebuiltHead::keep(std::string_view text) {
  const auto at = storage_.size();
  storage_.append(text);
  return std::string_view(storage_).substr(at);
}

bool PrebuiltHead::describes(const ResponseHead& head) const {
  if (head.status != head_.status || head.content_length != head_.content_length ||
      head.last_modified != head_.last_modified || !same(head.content_type, head_.content_type) ||
      !same(head.etag, head_.etag) || !same(head.location, head_.location) ||
      !same(head.reason, head_.reason) || head.headers.size() < head_.headers.size())
    return false;
  auto other = head.headers.begin();
  for (const auto& field : head_.headers) {
    if (!same(field.name, other->name) || !same(field.value, other->value)) return false;
    ++other;
  }
  return true;
}

}  // namespace gatescope::http

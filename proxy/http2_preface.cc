#include "proxy/http2_preface.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace gatescope::server {

namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace

Http2PrefaceReader::Http2PrefaceReader(net::Stream& stream, Events& events)
    : stream_(stream), events_(events) {
  stream_.set_events(this);
  stream_.start_reading();
}

void Http2PrefaceReader::on_data(std::span<const std::byte> data) {
  const bool first = came_.empty();
  came_ += as_text(data);
  const std::size_t known = std::min(came_.size(), kPreface.size());
  if (came_.compare(0, known, kPreface.substr(0, known)) != 0) return tell(false);
  if (known == kPreface.size()) return tell(true);
  if (first) events_.on_preface_begun();
}

void Http2PrefaceReader::tell(bool http2) {
  stream_.stop_reading();
  stream_.set_events(nullptr);
  events_.on_preface(http2, std::move(came_));
}

void Http2PrefaceReader::on_end() {
  on_failed(make_error(ErrorKind::Closed, Origin::Client, "client closed connection"));
}

void Http2PrefaceReader::on_failed(const Error& error) {
  stream_.set_events(nullptr);
  events_.on_preface_failed(error);
}

}  // namespace gatescope::server

#include "tests/integration/support/http2_conversation.h"

#include <stdexcept>

#include "tests/support/http_version.h"

namespace gatescope::integration {

void Http2Conversation::send(std::string_view bytes) {
  unsent_ += bytes;
  for (std::size_t end; (end = unsent_.find("\r\n\r\n")) != std::string::npos;) {
    const auto fields = test::http2_fields(std::string_view(unsent_).substr(0, end), scheme_);
    std::size_t length = 0;
    for (const auto& [name, value] : fields)
      if (name == "content-length") length = std::stoul(value);
    if (unsent_.size() < end + 4 + length) return;
    const auto stream = peer_.request(fields, length > 0);
    if (length > 0) peer_.send(stream, std::string_view(unsent_).substr(end + 4, length));
    unsent_.erase(0, end + 4 + length);
    waiting_.push_back(stream);
  }
  wire_.write(peer_.outgoing());
}

bool Http2Conversation::carry() {
  try {
    wire_.write(peer_.outgoing());
  } catch (const std::runtime_error&) {
    // It has closed, and what it said before is still to be read
  }
  char piece[16384];
  const auto got = wire_.read(piece, sizeof piece);
  if (got == 0) return false;
  peer_.receive({piece, got});
  if (!peer_.error().empty()) throw std::runtime_error("HTTP/2: " + peer_.error());
  return true;
}

Answer Http2Conversation::head_of(const test::Http2Answer& came) const {
  Answer answer{.status = came.status, .head = "HTTP/2 " + std::to_string(came.status)};
  answer.fields = came.fields;
  for (const auto& [name, value] : came.fields)
    answer.head += "\r\n" + name + ": " + value;
  return answer;
}

Answer Http2Conversation::answer_head() {
  if (waiting_.empty()) throw std::runtime_error("an answer is waited for that nobody asked for");
  stream_ = waiting_.front();
  waiting_.pop_front();
  taken_ = 0;
  while (current().status == 0) {
    if (current().reset >= 0)
      throw std::runtime_error("reset with " + std::to_string(current().reset));
    if (!carry()) throw std::runtime_error("closed without an answer");
  }
  return head_of(current());
}

Answer Http2Conversation::answer() {
  Answer answer = answer_head();
  while (!current().done())
    if (!carry()) throw std::runtime_error("closed within an answer");
  if (!current().ended) throw std::runtime_error("reset within an answer");
  answer.body = current().body;
  taken_ = answer.body.size();
  return answer;
}

std::string Http2Conversation::take(std::size_t size) {
  while (current().body.size() - taken_ < size)
    if (current().done() || !carry())
      throw std::runtime_error("ended after " + std::to_string(current().body.size()) + " bytes");
  taken_ += size;
  return current().body.substr(taken_ - size, size);
}

std::string Http2Conversation::some() {
  while (current().body.size() == taken_ && !current().done() && carry()) {
  }
  return take(current().body.size() - taken_);
}

std::string Http2Conversation::rest() {
  while (!current().done() && carry()) {
  }
  return take(current().body.size() - taken_);
}

bool Http2Conversation::closed() {
  while (carry())
    if (stream_ != 0 && current().body.size() > taken_) return false;
  return true;
}

bool Http2Conversation::is_told_to_end() {
  while (peer_.goaways().empty())
    if (!carry()) return false;
  return true;
}

}  // namespace gatescope::integration

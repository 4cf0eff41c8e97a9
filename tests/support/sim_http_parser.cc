#include "tests/support/sim_http_parser.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace gatescope::test {

namespace {

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

std::string trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t'))
    s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t'))
    s.remove_suffix(1);
  return std::string(s);
}

bool all_digits(std::string_view s) {
  return !s.empty() && s.find_first_not_of("0123456789") == s.npos;
}

}  // namespace

std::string SimResponse::header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (same(known, name)) return value;
  }
  return "";
}

bool SimResponse::has_token(std::string_view name, std::string_view token) const {
  for (const auto& [known, value] : headers) {
    if (!same(known, name)) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      if (same(trimmed(rest.substr(0, comma)), token)) return true;
      rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
    }
  }
  return false;
}

void SimHttpParser::feed(std::string_view bytes) {
  if (state_ == State::Broken || bytes.empty()) return;
  buffer_ += bytes;
  while (state_ != State::Broken && advance()) {
  }
}

void SimHttpParser::end(bool in_order) {
  if (state_ == State::UntilClose && in_order) on_complete();
}

// One step; false: more bytes are needed.
bool SimHttpParser::advance() {
  switch (state_) {
    case State::Line:
    case State::Fields:
    case State::ChunkSize:
    case State::ChunkEnd:
    case State::Trailers: {
      const auto end = buffer_.find("\r\n");
      if (end == buffer_.npos) {
        if (buffer_.find('\n') != buffer_.npos) broken("bare LF");
        if (buffer_.size() > 100'000) broken("a line without end");
        return false;
      }
      const std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 2);
      return on_line(line);
    }
    case State::Body:
    case State::ChunkData: {
      const std::size_t n = std::min<std::uint64_t>(left_, buffer_.size());
      current().body.append(buffer_, 0, n);
      buffer_.erase(0, n);
      left_ -= n;
      if (left_ > 0) return false;
      if (state_ == State::ChunkData) {
        state_ = State::ChunkEnd;
      } else {
        on_complete();
      }
      return true;
    }
    case State::UntilClose:
    case State::Upgraded:
      current().body += buffer_;
      buffer_.clear();
      return false;
    case State::Broken:
      return false;
  }
  return false;
}

bool SimHttpParser::on_line(const std::string& line) {
  switch (state_) {
    case State::Line:
      if (line.size() < 13 || line.compare(0, 7, "HTTP/1.") != 0 || line[8] != ' ' ||
          !all_digits(line.substr(9, 3)) || line[12] != ' ') {
        broken("status line: " + line.substr(0, 80));
        return false;
      }
      if (complete_ >= methods_.size()) {
        broken("an answer to no request: " + line);
        return false;
      }
      responses_.emplace_back();
      current().version = line.substr(0, 8);
      current().status = std::atoi(line.c_str() + 9);
      state_ = State::Fields;
      return true;
    case State::Fields:
      if (line.empty()) {
        on_head();
      } else {
        on_field(line, false);
      }
      return true;
    case State::ChunkSize: {
      const std::string digits = line.substr(0, line.find(';'));
      if (digits.empty() || digits.size() > 15 ||
          digits.find_first_not_of("0123456789abcdefABCDEF") != digits.npos) {
        broken("chunk size: " + line.substr(0, 80));
        return false;
      }
      left_ = std::strtoull(digits.c_str(), nullptr, 16);
      state_ = left_ == 0 ? State::Trailers : State::ChunkData;
      return true;
    }
    case State::ChunkEnd:
      if (!line.empty()) broken("no line end after a chunk");
      if (state_ != State::Broken) state_ = State::ChunkSize;
      return true;
    case State::Trailers:
      if (line.empty()) {
        on_complete();
      } else {
        on_field(line, true);
      }
      return true;
    default:
      return false;
  }
}

void SimHttpParser::on_field(const std::string& line, bool trailer) {
  const auto colon = line.find(':');
  const std::string name = line.substr(0, colon);
  if (colon == line.npos || name.empty() || name.find_first_of(" \t\r\n") != name.npos ||
      line.find_first_of("\r\n") != line.npos) {
    broken("field line: " + line.substr(0, 80));
    return;
  }
  auto& list = trailer ? current().trailers : current().headers;
  list.emplace_back(name, trimmed(line.substr(colon + 1)));
}

void SimHttpParser::on_head() {
  SimResponse& r = current();
  const auto count = [&](std::string_view name) {
    return std::count_if(r.headers.begin(), r.headers.end(),
                         [&](const auto& h) { return same(h.first, name); });
  };
  if (r.status >= 100 && r.status < 200 && r.status != 101) {
    informational_.push_back(r.status);
    responses_.pop_back();
    state_ = State::Line;
    return;
  }
  r.head_complete = true;
  r.informational.swap(informational_);
  const bool chunked = r.has_token("Transfer-Encoding", "chunked");
  const std::string length = r.header("Content-Length");
  if (count("Content-Length") > 1 || count("Transfer-Encoding") > 1 || count("Date") > 1 ||
      count("Connection") > 1) {
    broken("a field twice");
  } else if (chunked && !length.empty()) {
    broken("Content-Length and chunked");
  } else if (!length.empty() && !all_digits(length)) {
    broken("Content-Length: " + length);
  } else if (chunked && r.version == "HTTP/1.0") {
    broken("chunked in HTTP/1.0");
  } else if (r.status == 101) {
    state_ = State::Upgraded;
  } else if (methods_[complete_] == "HEAD" || r.status == 204 || r.status == 304) {
    if (r.status == 204 && (chunked || !length.empty())) {
      broken("204 with a length");
    } else {
      on_complete();
    }
  } else if (chunked) {
    state_ = State::ChunkSize;
  } else if (!length.empty()) {
    left_ = std::strtoull(length.c_str(), nullptr, 10);
    state_ = State::Body;
    if (left_ == 0) on_complete();
  } else {
    r.until_close = true;
    state_ = State::UntilClose;
  }
}

void SimHttpParser::on_complete() {
  current().complete = true;
  ++complete_;
  state_ = State::Line;
}

void SimHttpParser::broken(const std::string& why) {
  error_ = why;
  state_ = State::Broken;
}

}  // namespace gatescope::test

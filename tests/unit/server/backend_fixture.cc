#include "tests/unit/server/backend_fixture.h"

#include <algorithm>
#include <optional>

#include "proxy/base/text.h"

namespace gatescope::test {
namespace {

/// One lenient (or strict) reader over bytes; nothing is copied from the server under test.
class Reader {
 public:
  Reader(std::string_view bytes, const Leniency& how) : left_(bytes), how_(how) {}

  enum class Found { Whole, Partial, Nothing, Refused };
  Found next() {
    std::string_view line;
    do {
      if (left_.empty()) return Found::Nothing;
      if (!take_line(line)) return Found::Partial;
    } while (line.empty());
    std::optional<std::uint64_t> length;
    bool chunked = false;
    for (;;) {
      if (!take_line(line)) return Found::Partial;
      if (line.empty()) break;
      const auto colon = line.find(':');
      if (colon == std::string_view::npos || colon == 0) {
        if (how_.loose_names) continue;
        return Found::Refused;
      }
      std::string name = lower(line.substr(0, colon));
      if (how_.loose_names) {
        name = std::string(trim(name));
        std::replace(name.begin(), name.end(), '_', '-');
      }
      const auto value = trim(line.substr(colon + 1));
      if (name == "content-length") {
        const auto number = size_of(value, 10);
        if (!number) return Found::Refused;
        if (!length || how_.last_length) length = number;
      } else if (name == "transfer-encoding") {
        const auto coding = lower(value);
        chunked = chunked || (how_.loose_coding ? coding.find("chunked") != std::string::npos
                                                : coding == "chunked");
      }
    }
    if (length && (!chunked || how_.length_first)) return take(*length);
    return chunked ? take_chunks() : Found::Whole;
  }
  std::string_view left() const { return left_; }

 private:
  bool take_line(std::string_view& line) {
    for (std::size_t i = 0; i < left_.size(); ++i) {
      std::size_t end = 0;
      if (left_[i] == '\r' && i + 1 < left_.size() && left_[i + 1] == '\n') {
        end = 2;
      } else if ((left_[i] == '\n' && how_.bare_lf) || (left_[i] == '\r' && how_.bare_cr)) {
        end = 1;
      }
      if (end == 0) continue;
      line = left_.substr(0, i);
      left_.remove_prefix(i + end);
      return true;
    }
    return false;
  }
  std::optional<std::uint64_t> size_of(std::string_view text, unsigned base) const {
    if (how_.loose_sizes) {
      text = trim(text);
      if (text.starts_with('+')) text.remove_prefix(1);
      if (base == 16 && (text.starts_with("0x") || text.starts_with("0X"))) text.remove_prefix(2);
    }
    std::uint64_t number = 0;
    std::size_t digits = 0;
    for (const char c : text) {
      const char l = to_lower(c);
      const int digit = is_digit(c)                          ? c - '0'
                        : base == 16 && l >= 'a' && l <= 'f' ? l - 'a' + 10
                                                             : -1;
      if (digit < 0) break;
      number = number * base + static_cast<unsigned>(digit);
      ++digits;
    }
    if (digits == 0 && !how_.loose_sizes) return std::nullopt;
    const bool rest = digits < text.size() && !(base == 16 && text[digits] == ';');
    if (rest && !how_.loose_sizes) return std::nullopt;
    return number;
  }
  Found take(std::uint64_t size) {
    if (left_.size() < size) {
      left_ = {};
      return Found::Partial;
    }
    left_.remove_prefix(static_cast<std::size_t>(size));
    return Found::Whole;
  }
  Found take_chunks() {
    for (;;) {
      std::string_view line;
      if (!take_line(line)) return Found::Partial;
      const auto size = size_of(line, 16);
      if (!size) return Found::Refused;
      if (*size == 0) break;
      if (take(*size) == Found::Partial) return Found::Partial;
      if (!take_line(line)) return Found::Partial;
      if (!line.empty()) return Found::Refused;
    }
    for (;;) {
      std::string_view line;
      if (!take_line(line)) return Found::Partial;
      if (line.empty()) return Found::Whole;
    }
  }

  std::string_view left_;
  const Leniency how_;
};

}  // namespace

int count_requests(std::string_view bytes, const Leniency& leniency) {
  Reader reader(bytes, leniency);
  for (int count = 0;;) {
    switch (reader.next()) {
      case Reader::Found::Nothing:
        return count;
      case Reader::Found::Partial:
        return count + 1;
      case Reader::Found::Refused:
        return -1;
      case Reader::Found::Whole:
        ++count;
    }
  }
}

std::vector<Leniency> all_leniencies() {
  std::vector<Leniency> all;
  for (unsigned bits = 0; bits < 128; ++bits)
    all.push_back({(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0,
                   (bits & 16) != 0, (bits & 32) != 0, (bits & 64) != 0});
  return all;
}

class Backend::Connection final : public net::StreamEvents {
 public:
  Connection(Backend& backend, std::size_t number, std::unique_ptr<net::Stream> stream)
      : backend_(backend), number_(number), stream_(std::move(stream)) {
    stream_->set_events(this);
    stream_->start_reading();
  }
  ~Connection() override {
    if (stream_) stream_->set_events(nullptr);
  }

 private:
  void on_data(std::span<const std::byte> data) override {
    backend_.received_[number_] += as_text(data);
    unread_ += as_text(data);
    if (backend_.close_at_once) return close();
    for (;;) {
      Reader reader(unread_, {});
      if (reader.next() != Reader::Found::Whole) return;
      unread_.erase(0, unread_.size() - reader.left().size());
      ++backend_.requests_;
      ByteQueue bytes;
      bytes.append_copy(backend_.reply);
      if (!bytes.empty()) (void)stream_->write(bytes);
      if (backend_.close_after_reply) return finish();
    }
  }
  void on_end() override { close(); }
  void on_drained() override {}
  void on_failed(const Error&) override { close(); }
  void finish() {
    stream_->shut_down();
    stream_->stop_reading();
  }
  void close() {
    if (!stream_) return;
    stream_->set_events(nullptr);
    backend_.loop_.discard(std::move(stream_));
  }

  Backend& backend_;
  const std::size_t number_;
  std::unique_ptr<net::Stream> stream_;
  std::string unread_;
};

Backend::Backend(SimLoop& loop, std::uint16_t port) : loop_(loop) {
  loop_.turn([&] {
    auto listener = loop_.listen(*net::Endpoint::ip("127.0.0.1", port), {}, *this);
    if (listener) listener_ = std::move(*listener);
  });
}

Backend::~Backend() {
  loop_.turn([&] {
    connections_.clear();
    listener_.reset();
  });
}

void Backend::clear() {
  for (auto& text : received_)
    text.clear();
  requests_ = 0;
}

void Backend::on_accepted(std::unique_ptr<net::Stream> stream) {
  received_.emplace_back();
  connections_.push_back(
      std::make_unique<Connection>(*this, received_.size() - 1, std::move(stream)));
}

}  // namespace gatescope::test

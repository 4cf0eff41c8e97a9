#include "api/oeis_list.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "api/bfile.h"
#include "proxy/base/text.h"
#include "proxy/base/unique_fd.h"
#include "proxy/http/encoding.h"

namespace gatescope::api {

namespace {

constexpr std::size_t kPiece = 256 << 10;
constexpr std::size_t kLongestLine = 1 << 20;  // the longest of OEIS has some 1000 bytes

Error damaged(const std::string& path, std::string_view what) {
  return make_error(ErrorKind::Protocol, Origin::Internal, fmt::format("\"{}\" {}", path, what));
}

/// "A000040 rest"
std::optional<SequenceId> take_id(std::string_view& line) {
  if (line.size() < 8 || line[7] != ' ') return std::nullopt;
  const auto id = SequenceId::parse(line.substr(0, 7));
  line.remove_prefix(8);
  return id;
}

/// ",2,-3,5," to "2,-3,5".
std::optional<std::string_view> terms_of(std::string_view list) {
  list = trim(list);
  if (!list.starts_with(',')) return std::nullopt;
  list.remove_prefix(1);
  if (list.ends_with(',')) list.remove_suffix(1);
  for (std::string_view rest = list; !rest.empty();) {
    const auto end = std::min(rest.find(','), rest.size());
    if (!is_integer(rest.substr(0, end))) return std::nullopt;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return list;
}

}  // namespace

struct OeisList::Input {
  UniqueFd fd;
  std::uint64_t size = 0, taken = 0;
  std::optional<http::GzipDecoder> decoder;  // none: not packed
  bool at_end = false;                       // of the file
  std::string packed;                        // of the file, not yet decoded; only with decoder
  std::size_t packed_used = 0;
  std::string buffer;  // plain
  std::size_t used = 0;
  std::size_t lines = 0;

  Result<void> read_piece(const std::string& path, std::string& into) {
    const std::size_t before = into.size();
    into.resize(before + kPiece);
    ssize_t n = -1;
    do
      n = ::read(fd.get(), into.data() + before, kPiece);
    while (n < 0 && errno == EINTR);
    into.resize(before + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n < 0) return system_error(errno, "read() \"" + path + "\"");
    taken += static_cast<std::uint64_t>(n);
    if (n == 0) at_end = true;
    return {};
  }

  /// More of the plain text; nothing more at the end.
  Result<void> fill(const std::string& path) {
    buffer.erase(0, used);
    used = 0;
    if (!decoder) return read_piece(path, buffer);
    const std::size_t before = buffer.size();
    while (buffer.size() == before && !at_end) {
      if (packed_used == packed.size()) {
        packed.clear();
        packed_used = 0;
        if (auto read = read_piece(path, packed); !read) return read;
      }
      std::string_view rest = std::string_view(packed).substr(packed_used);
      if (auto decoded = decoder->decode(rest, kPiece, buffer); !decoded)
        return damaged(path, "is no good gzip file: " + decoded.error().detail);
      packed_used = packed.size() - rest.size();
    }
    if (at_end && !decoder->complete()) return damaged(path, "ends too early");
    return {};
  }

  /// nullopt: the end.
  Result<std::optional<std::string_view>> next_line(const std::string& path) {
    for (;;) {
      const std::string_view rest = std::string_view(buffer).substr(used);
      if (const auto end = rest.find('\n'); end != std::string_view::npos) {
        used += end + 1;
        ++lines;
        return std::optional(rest.substr(0, end));
      }
      if (rest.size() > kLongestLine) return damaged(path, "has a line of more than 1 MB");
      if (at_end) {
        if (rest.empty()) return std::optional<std::string_view>();
        used = buffer.size();
        ++lines;
        return std::optional(rest);
      }
      if (auto filled = fill(path); !filled) return filled.error();
    }
  }
};

OeisList::OeisList(std::string path, std::unique_ptr<Input> input)
    : path_(std::move(path)), input_(std::move(input)) {}
OeisList::OeisList(OeisList&&) noexcept = default;
OeisList::~OeisList() = default;

std::uint64_t OeisList::bytes_read() const {
  return input_->taken;
}
std::uint64_t OeisList::bytes() const {
  return input_->size;
}

Result<OeisList> OeisList::open(const std::string& path) {
  auto input = std::make_unique<Input>();
  input->fd.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!input->fd || ::fstat(input->fd.get(), &info) != 0)
    return system_error(errno, "open() \"" + path + "\"");
  input->size = static_cast<std::uint64_t>(info.st_size);
  OeisList list(path, std::move(input));
  if (auto looked = list.look(); !looked) return looked.error();
  return list;
}

Result<void> OeisList::look() {
  auto& in = *input_;
  if (auto read = in.read_piece(path_, in.buffer); !read) return read;
  if (in.buffer.starts_with("\x1f\x8b")) {
    in.decoder.emplace();
    in.packed = std::exchange(in.buffer, {});
    if (auto filled = in.fill(path_); !filled) return filled;
  }
  // What is left of the first piece is enough: it begins with four lines of comment.
  std::string_view rest = in.buffer;
  while (rest.starts_with('#') || rest.starts_with('\n') || rest.starts_with('\r'))
    rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
  if (!take_id(rest)) return damaged(path_, "holds neither names nor terms of OEIS");
  holds_ = rest.starts_with(',') ? Holds::Terms : Holds::Names;
  return {};
}

Result<void> OeisList::read(const std::function<bool(const Line&)>& line,
                            const std::function<void(const std::string&)>& problem) {
  for (;;) {
    const auto next = input_->next_line(path_);
    if (!next) return next.error();
    if (!*next) return {};
    std::string_view text = **next;
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.empty() || text[0] == '#') continue;
    const auto id = take_id(text);
    const auto terms = holds_ == Holds::Terms ? terms_of(text) : std::optional(trim(text));
    if (!id || !terms || terms->find('\0') != std::string_view::npos) {
      problem(fmt::format("\"{}\" line {} is no line of {}", path_, input_->lines,
                          holds_ == Holds::Terms ? "terms" : "names"));
    } else if (!line({.number = input_->lines, .id = *id, .text = *terms})) {
      return {};
    }
  }
}

}  // namespace gatescope::api

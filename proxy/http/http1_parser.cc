#include "proxy/http/http1_parser.h"

#include <llhttp.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "proxy/http/field_line.h"

namespace gatescope::http {
namespace {

// Sixteen digits are all that 64 bits hold; more are leading zeros or an attack.
constexpr std::size_t kSizeDigits = 16;

bool is_hex_digit(char c) {
  const char l = to_lower(c);
  return is_digit(c) || (l >= 'a' && l <= 'f');
}

}  // namespace

struct Http1BodyParser::ChunkReader {
  enum class At { SizeLine, Data, DataEnd, Trailers };

  llhttp_t parser{};
  BodyRules rules;
  Arena* arena = nullptr;
  At at = At::SizeLine;
  std::uint64_t left = 0;  // of the chunk
  bool complete = false;   // llhttp says so
  bool chunk_seen = false;
  std::uint64_t chunk_size = 0;
  std::size_t overhead = 0;
  std::string partial;  // a line that has come in part
  HeaderList trailers;
  std::string_view error;

  void begin(const BodyRules& of_body, Arena& for_trailers);
  bool feed(std::string_view bytes);
  Step next(std::string_view input);
  Step data(std::string_view input);
  Step fail(std::string_view why);
  bool on_line(std::string_view line);
  bool on_size_line(std::string_view line);
  bool on_trailer(std::string_view line);
  bool refuse(std::string_view why);

  int on_chunk_header() {
    chunk_seen = true;
    chunk_size = parser.content_length;
    return 0;
  }
  int on_message_complete() {
    complete = true;
    return 0;
  }
  static const llhttp_settings_t& settings();
};

namespace {

template <class Reader>
Reader& reader_of(llhttp_t* parser) noexcept {
  return *static_cast<Reader*>(parser->data);
}

}  // namespace

const llhttp_settings_t& Http1BodyParser::ChunkReader::settings() {
  static const llhttp_settings_t made = [] {
    llhttp_settings_t s;
    llhttp_settings_init(&s);
    s.on_chunk_header = [](llhttp_t* p) noexcept {
      return reader_of<ChunkReader>(p).on_chunk_header();
    };
    s.on_message_complete = [](llhttp_t* p) noexcept {
      return reader_of<ChunkReader>(p).on_message_complete();
    };
    return s;
  }();
  return made;
}

void Http1BodyParser::ChunkReader::begin(const BodyRules& of_body, Arena& for_trailers) {
  llhttp_init(&parser, HTTP_REQUEST, &settings());
  parser.data = this;
  complete = false;
  overhead = 0;
  partial.clear();
  trailers.clear();
  error = {};
  rules = of_body;
  arena = &for_trailers;
  at = At::SizeLine;
  feed("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
}

bool Http1BodyParser::ChunkReader::feed(std::string_view bytes) {
  return llhttp_execute(&parser, bytes.data(), bytes.size()) == HPE_OK ||
         refuse("client sent invalid chunked body");
}

bool Http1BodyParser::ChunkReader::refuse(std::string_view why) {
  if (error.empty()) error = why;
  return false;
}

Http1BodyParser::Step Http1BodyParser::ChunkReader::fail(std::string_view why) {
  refuse(why);
  return {Event::Failed, 0, {}};
}

Http1BodyParser::Step Http1BodyParser::ChunkReader::data(std::string_view input) {
  const auto now =
      input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, input.size())));
  if (!feed(now)) return fail("client sent invalid body");
  left -= now.size();
  if (left == 0) at = At::DataEnd;
  return {Event::Data, now.size(), now};
}

Http1BodyParser::Step Http1BodyParser::ChunkReader::next(std::string_view input) {
  std::size_t consumed = 0;
  for (;;) {
    if (complete) return {Event::End, consumed, {}};
    if (!error.empty()) return fail(error);
    if (input.empty()) return {Event::More, consumed, {}};
    if (at == At::Data) {
      Step step = data(input);
      step.consumed += consumed;
      return step;
    }
    const std::size_t lf = input.find('\n');
    const std::size_t taken = lf == std::string_view::npos ? input.size() : lf + 1;
    if (partial.size() + taken > rules.line_limit)
      return fail("client sent too long chunk or trailer line");
    const std::string_view piece = input.substr(0, lf);
    input.remove_prefix(taken);
    consumed += taken;
    if (lf == std::string_view::npos) {
      partial += piece;
      continue;
    }
    std::string_view line = piece;
    if (!partial.empty()) line = partial += piece;
    if (!line.empty() && line.back() == '\r') {
      line.remove_suffix(1);
    } else if (!rules.lenient_line_endings) {
      return fail("client sent invalid line end in chunked body");
    }
    const bool good = on_line(line);
    partial.clear();
    if (!good) return fail("client sent invalid chunked body");
  }
}

bool Http1BodyParser::ChunkReader::on_line(std::string_view line) {
  switch (at) {
    case At::SizeLine:
      return on_size_line(line);
    case At::DataEnd:
      at = At::SizeLine;
      return line.empty() && feed("\r\n");
    case At::Trailers:
      return line.empty() ? feed("\r\n") : on_trailer(line);
    default:
      return refuse("internal: line within data");
  }
}

bool Http1BodyParser::ChunkReader::on_size_line(std::string_view line) {
  std::size_t digits = 0;
  while (digits < line.size() && is_hex_digit(line[digits]))
    ++digits;
  if (digits == 0 || digits > kSizeDigits) return false;
  const std::string_view extension = line.substr(digits);
  if (!extension.empty() && extension.front() != ';') return false;
  if (!is_value(extension)) return false;
  overhead += extension.size();
  if (overhead > rules.overhead_limit) return refuse("client sent too much chunk overhead");
  // llhttp gets the size alone: how it reads extensions differs between its versions.
  char text[kSizeDigits + 2];
  std::memcpy(text, line.data(), digits);
  text[digits] = '\r';
  text[digits + 1] = '\n';
  chunk_seen = false;
  if (!feed({text, digits + 2})) return false;
  if (!chunk_seen) return refuse("internal: chunk header not seen");
  // As nginx: more than a file can have is no size, and nobody could wait for its end.
  if (chunk_size > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
    return refuse("client sent invalid chunked body");
  left = chunk_size;
  at = left == 0 ? At::Trailers : At::Data;
  return true;
}

bool Http1BodyParser::ChunkReader::on_trailer(std::string_view line) {
  FieldLine field;
  overhead += line.size();
  if (overhead > rules.overhead_limit) return refuse("client sent too large trailers");
  switch (split_field_line(line, rules.underscores_in_headers, field)) {
    case FieldVerdict::Malformed:
      return refuse("client sent invalid trailer line");
    case FieldVerdict::InvalidName:
      return true;
    case FieldVerdict::Valid:
      break;
  }
  if (!may_trail(field.name)) return true;
  if (trailers.size() == rules.max_trailers) return refuse("client sent too many trailers");
  trailers.add(arena->copy(field.name), arena->copy(field.value));
  return true;
}

Http1BodyParser::Http1BodyParser() = default;
Http1BodyParser::~Http1BodyParser() = default;

void Http1BodyParser::begin_length(std::uint64_t length) {
  chunked_ = false;
  left_ = length;
}

void Http1BodyParser::begin_chunked(const BodyRules& rules, Arena& arena) {
  chunked_ = true;
  if (!chunks_) chunks_ = std::make_unique<ChunkReader>();
  chunks_->begin(rules, arena);
}

Http1BodyParser::Step Http1BodyParser::next(std::string_view input) {
  if (chunked_) return chunks_->next(input);
  if (left_ == 0) return {Event::End, 0, {}};
  if (input.empty()) return {Event::More, 0, {}};
  const auto data =
      input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size())));
  left_ -= data.size();
  return {Event::Data, data.size(), data};
}
void Http1BodyParser::shrink() {
  chunked_ = false;
  chunks_.reset();
}
const HeaderList& Http1BodyParser::trailers() const {
  static const HeaderList kNone;
  return chunked_ ? chunks_->trailers : kNone;
}
std::string_view Http1BodyParser::error() const {
  return chunked_ ? chunks_->error : std::string_view();
}

}  // namespace gatescope::http

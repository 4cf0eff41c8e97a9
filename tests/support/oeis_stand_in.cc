#include "tests/support/oeis_stand_in.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <stdexcept>

#include "proxy/base/text.h"
#include "proxy/http/message.h"

namespace gatescope::test {

namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kHtml = "text/html; charset=utf-8";

std::string head(int status, std::string_view type, std::string_view headers) {
  return fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\n{}\r\n", status,
                     http::reason_of(status), type, headers);
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string a_number(unsigned number) {
  return fmt::format("A{:06}", number);
}

/// nnnnnn of "A000040"; nullopt: not of this form.
std::optional<unsigned> number_of(std::string_view id) {
  if (id.size() != 7 || id[0] != 'A') return std::nullopt;
  const auto number = parse_unsigned(id.substr(1));
  if (!number) return std::nullopt;
  return static_cast<unsigned>(*number);
}

std::string header_of(std::string_view request, std::string_view name) {
  for (const auto line : split(request, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !equals_ignoring_case(line.substr(0, colon), name))
      continue;
    auto value = trim(line.substr(colon + 1));
    if (value.ends_with('\r')) value.remove_suffix(1);
    return std::string(value);
  }
  return {};
}

}  // namespace

/// One connection: reads requests, answers each.
class OeisStandIn::Conversation final : private net::StreamEvents, private net::TimerEvents {
 public:
  Conversation(OeisStandIn& owner, std::unique_ptr<net::Stream> stream)
      : owner_(owner), stream_(std::move(stream)), timer_(owner.loop_.make_timer(*this)) {
    stream_->set_events(this);
    stream_->start_reading();
  }
  ~Conversation() override { stream_->set_events(nullptr); }

 private:
  void on_data(std::span<const std::byte> data) override {
    received_.append(as_text(data));
    const auto end = received_.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const std::string request = received_.substr(0, end);
    received_.erase(0, end + 4);
    const auto blank = request.find(' ') + 1;
    const std::string target = request.substr(blank, request.find(' ', blank) - blank);
    owner_.requests.push_back({.target = target,
                               .agent = header_of(request, "user-agent"),
                               .host = header_of(request, "host"),
                               .accept_encoding = header_of(request, "accept-encoding"),
                               .at = owner_.loop_.clock().now()});
    reply_ = owner_.reply(target);
    if (reply_.length > 0) reply_.bytes.resize(std::min(reply_.bytes.size(), reply_.length));
    sent_ = 0;
    go_on();
  }
  void on_end() override { owner_.close(*this); }
  void on_failed(const Error&) override { owner_.close(*this); }
  void on_drained() override { go_on(); }
  void on_timer(net::Timer&) override { go_on(); }

  void go_on() {
    if (sent_ < reply_.bytes.size()) {
      const auto count = reply_.drip.count() > 0 ? 1 : reply_.bytes.size() - sent_;
      const std::string part = reply_.bytes.substr(sent_, count);
      sent_ += count;
      const Flow flow = send(part);
      if (reply_.drip.count() > 0) return timer_->start(reply_.drip);
      if (flow == Flow::Wait) return;
    }
    while (reply_.noise > 0) {
      const auto count = std::min<std::uint64_t>(reply_.noise, kNoise.size());
      reply_.noise -= count;
      if (send(kNoise.substr(0, count)) == Flow::Wait) return;
    }
    if (reply_.then == OeisReply::Then::Keep) return;
    if (reply_.then == OeisReply::Then::Reset) stream_->reset_on_close();
    if (stream_->unsent() > 0) return stream_->notify_sent();
    owner_.close(*this);
  }
  Flow send(std::string text) {
    ByteQueue queue;
    queue.append(SharedBytes(std::move(text)));
    return stream_->write(queue);
  }

  static inline const std::string kNoise = [] {
    std::string text;
    for (int i = 0; i < 16'000; ++i)
      text += "7\n";
    return text;
  }();

  OeisStandIn& owner_;
  const std::unique_ptr<net::Stream> stream_;
  const std::unique_ptr<net::Timer> timer_;
  std::string received_;
  OeisReply reply_;
  std::size_t sent_ = 0;  // of its bytes
};

OeisReply OeisReply::sized(int status, std::string_view type, std::string_view body,
                           std::string_view more_headers) {
  return {.bytes = head(status, type,
                        fmt::format("{}Content-Length: {}\r\n", more_headers, body.size())) +
                   std::string(body)};
}

OeisReply OeisReply::chunked(int status, std::string_view type, std::string_view body) {
  std::string bytes = head(status, type, "Transfer-Encoding: chunked\r\n");
  while (!body.empty()) {
    const auto part = body.substr(0, 1000);
    bytes += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
    body.remove_prefix(part.size());
  }
  return {.bytes = bytes + "0\r\n\r\n"};
}

OeisReply OeisReply::until_close(std::string_view type, std::string_view body) {
  return {.bytes = head(200, type, "Connection: close\r\n") + std::string(body),
          .then = Then::Close};
}

OeisReply OeisReply::redirect(std::string_view location) {
  return {.bytes =
              head(301, kHtml, fmt::format("Location: {}\r\nContent-Length: 0\r\n", location))};
}

OeisReply OeisReply::cut_off(std::size_t after) && {
  length = after;
  then = Then::Close;
  return std::move(*this);
}

OeisStandIn::OeisStandIn(net::Loop& loop) : loop_(loop) {
  auto made = loop.listen(net::Endpoint::ip("127.0.0.1", 0).value(), {}, *this);
  if (!made) throw std::runtime_error(made.error().detail);
  listener_ = std::move(made).value();
}

OeisStandIn::~OeisStandIn() = default;

std::string OeisStandIn::url() const {
  return "http://" + listener_->local().to_string();
}

void OeisStandIn::add_entry(unsigned number, std::string name, std::string terms,
                            std::int64_t offset, std::vector<std::string> xrefs) {
  entries_[number] = {std::move(name), std::move(terms), offset, std::move(xrefs)};
}

void OeisStandIn::add_bfile(unsigned number, std::string text) {
  bfiles_[number] = std::move(text);
}

void OeisStandIn::reserve(unsigned number) {
  bfiles_[number] = "# " + a_number(number) + " (b-file synthesized from sequence entry)\n";
}

OeisReply OeisStandIn::too_fast(int status, std::string_view retry_after) {
  std::string more;
  if (!retry_after.empty()) more = fmt::format("Retry-After: {}\r\n", retry_after);
  return OeisReply::sized(status, kText,
                          "You are crawling too fast.  Come back in a few minutes.\n"
                          "Mail questions to njasloane@gmail.com and rsc@swtch.com.\n",
                          more);
}

OeisReply OeisStandIn::challenge() {
  return OeisReply::chunked(403, "text/html; charset=UTF-8",
                            "<!DOCTYPE html><html><head><title>Just a moment...</title></head>"
                            "<body>Checking that you are not a machine.</body></html>");
}

OeisReply OeisStandIn::not_found() {
  std::string page = "<!DOCTYPE html>\n<html>\n<head><title>OEIS</title></head>\n<body>\n";
  while (page.size() < 4000)  // the real one has as much of menus and banners
    page += "<a href=\"/\">something else</a> |\n";
  page += "<b>Sorry, the page you requested was not found.</b>\n";
  return OeisReply::chunked(404, kHtml, page + "</body></html>\n");
}

void OeisStandIn::on_accepted(std::unique_ptr<net::Stream> stream) {
  ++connections;
  most_open = std::max(most_open, ++open);
  conversations_.push_back(std::make_unique<Conversation>(*this, std::move(stream)));
}

void OeisStandIn::close(Conversation& conversation) {
  const auto found = std::find_if(conversations_.begin(), conversations_.end(),
                                  [&](const auto& c) { return c.get() == &conversation; });
  if (found == conversations_.end()) return;
  --open;
  loop_.discard(std::move(*found));
  conversations_.erase(found);
}

OeisReply OeisStandIn::reply(const std::string& target) {
  for (const auto& key : {target, std::string("*")})
    if (const auto found = replies_.find(key); found != replies_.end()) return found->second;
  const std::string_view path = std::string_view(target).substr(0, target.find('?'));
  if (path == "/search" && target.size() > 8) {
    for (const auto part : split(std::string_view(target).substr(8), '&'))
      if (part.starts_with("q=")) return search(percent_decode(part.substr(2)).value_or(""));
    return OeisReply::redirect("/");
  }
  const auto number = number_of(path.substr(std::min<std::size_t>(1, path.size()), 7));
  if (!number) return not_found();
  const auto entry = entries_.find(*number);
  if (path.size() == 8 && entry != entries_.end())  // /A000040?fmt=json
    return OeisReply::sized(200, kJson, record_of(*number, entry->second));
  const bool known = entry != entries_.end() || bfiles_.contains(*number);
  if (!known || path.substr(8) != fmt::format("/b{:06}.txt", *number)) return not_found();
  return OeisReply::sized(200, kText, bfile_of(*number));
}

std::string OeisStandIn::bfile_of(unsigned number) const {
  if (const auto found = bfiles_.find(number); found != bfiles_.end()) return found->second;
  const Entry& entry = entries_.at(number);
  std::string text = "# " + a_number(number) + " (b-file synthesized from sequence entry)\n";
  std::int64_t index = entry.offset;
  for (const auto term : split(entry.terms, ','))
    text += fmt::format("{} {}\n", index++, term);
  return text;
}

std::string OeisStandIn::record_of(unsigned number, const Entry& entry) {
  std::string xrefs;
  for (const auto& line : entry.xrefs)
    xrefs += (xrefs.empty() ? "" : ",") + ("\n\t\t\t" + json_text(line));
  return fmt::format(
      "{{\n\t\"number\": {},\n\t\"data\": {},\n\t\"name\": {},\n\t\"xref\": [{}\n\t],\n"
      "\t\"keyword\": \"nonn\",\n\t\"offset\": \"{},1\",\n\t\"references\": 1,\n\t\"revision\": "
      "7\n}}",
      number, json_text(entry.terms), json_text(entry.name), xrefs, entry.offset);
}

OeisReply OeisStandIn::search(std::string_view query) const {
  if (query.empty()) return OeisReply::redirect("/");
  if (query == "\\")
    return OeisReply::sized(200, kHtml, "<b>Could not parse search query: empty query</b>\n");
  constexpr std::size_t kPage = 10;
  std::string records;
  std::size_t found = 0;
  for (const auto& [number, entry] : entries_) {
    const bool fits =
        query == "id:" + a_number(number) || query == a_number(number) ||
        entry.name.find(query) != std::string::npos ||
        ("," + entry.terms + ",").find("," + std::string(query) + ",") != std::string::npos;
    if (fits && ++found <= kPage)
      records += (records.empty() ? "" : ",\n") + record_of(number, entry);
  }
  // None and too many look the same in the new form.
  const bool too_many = found > 5 * kPage;
  const std::string list = found == 0 || too_many ? "null" : "[" + records + "]";
  if (search_form == SearchForm::List) return OeisReply::sized(200, kJson, list);
  return OeisReply::sized(
      200, kJson,
      fmt::format("{{\n\t\"greeting\": \"Greetings from The On-Line Encyclopedia of Integer "
                  "Sequences! http://oeis.org/\",\n\t\"query\": {},\n\t\"count\": {},\n"
                  "\t\"start\": 0,\n\t\"results\": {}\n}}",
                  json_text(query), found, list));
}

}  // namespace gatescope::test

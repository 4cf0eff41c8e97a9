#pragma once

// A stand-in for oeis.org: answers in the forms that the real one has been seen to use (2024 and
// 2026), with made-up contents, and fails in every way that one must be ready for.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/loop.h"

namespace gatescope::test {

/// What a request gets, as bytes of HTTP/1.1.
struct OeisReply {
  enum class Then { Keep, Close, Reset };
  std::string bytes;
  std::uint64_t noise = 0;   // bytes "7\n7\n..." that follow them, as fast as they are taken
  Duration drip{0};          // a byte of `bytes` each so often; 0: all at once
  Then then = Then::Keep;    // with the connection
  std::uint64_t length = 0;  // of `bytes` that are sent at all; 0: all

  /// The usual forms: with Content-Length; chunked; until the connection closes.
  static OeisReply sized(int status, std::string_view type, std::string_view body,
                         std::string_view more_headers = "");
  static OeisReply chunked(int status, std::string_view type, std::string_view body);
  static OeisReply until_close(std::string_view type, std::string_view body);
  static OeisReply redirect(std::string_view location);
  /// Cut after so many bytes of the head and the body.
  OeisReply cut_off(std::size_t after) &&;
};

/// Owned by the test; on its loop, on a port of its own.
class OeisStandIn final : private net::AcceptEvents {
 public:
  enum class SearchForm { List, Dictionary };  // today's and that until about 2024

  explicit OeisStandIn(net::Loop& loop);
  ~OeisStandIn() override;
  std::string url() const;  // "http://127.0.0.1:4711"
  const net::Endpoint& address() const { return listener_->local(); }

  // What it knows. Everything else: 404, with the page that OEIS has for it.
  /// An entry; its b-file is made up from `terms` ("2,3,5") as OEIS does it.
  void add_entry(unsigned number, std::string name, std::string terms, std::int64_t offset = 1,
                 std::vector<std::string> xrefs = {});
  void add_bfile(unsigned number, std::string text);  // a real one, of an entry or without
  void reserve(unsigned number);                      // a number without an entry so far
  SearchForm search_form = SearchForm::List;

  // How it fails.
  /// Instead of what it would say to "/A000040/b000040.txt".
  void reply_to(const std::string& target, OeisReply reply) { replies_[target] = std::move(reply); }
  /// To everything, from now on.
  void reply_to_all(OeisReply reply) { replies_["*"] = std::move(reply); }
  void behave() { replies_.clear(); }
  /// "You are crawling too fast." Retry-After is not known to be sent; empty: none.
  static OeisReply too_fast(int status = 503, std::string_view retry_after = "");
  static OeisReply challenge();  // Cloudflare's page, with 403
  static OeisReply not_found();  // OEIS's page

  // What it saw.
  struct Request {
    std::string target, agent, host, accept_encoding;
    MonoTime at;
  };
  std::vector<Request> requests;
  int connections = 0;          // ever
  int open = 0, most_open = 0;  // at the same time

 private:
  class Conversation;
  struct Entry {
    std::string name, terms;
    std::int64_t offset;
    std::vector<std::string> xrefs;
  };
  void on_accepted(std::unique_ptr<net::Stream> stream) override;
  OeisReply reply(const std::string& target);
  OeisReply search(std::string_view query) const;
  std::string bfile_of(unsigned number) const;
  static std::string record_of(unsigned number, const Entry& entry);
  void close(Conversation& conversation);

  net::Loop& loop_;
  std::unique_ptr<net::Listener> listener_;
  std::vector<std::unique_ptr<Conversation>> conversations_;
  std::map<std::string, OeisReply> replies_;
  std::map<unsigned, Entry> entries_;
  std::map<unsigned, std::string> bfiles_;
};

}  // namespace gatescope::test

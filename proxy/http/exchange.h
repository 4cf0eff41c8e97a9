#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conf/regex.h"
#include "conf/template.h"
#include "proxy/http/body_file.h"
#include "proxy/http/body_filters.h"
#include "proxy/http/body_pacer.h"
#include "proxy/http/handler.h"
#include "proxy/http/request_body.h"
#include "proxy/http/router.h"
#include "proxy/http/serving_stats.h"
#include "proxy/http/session.h"
#include "proxy/http/variables.h"

namespace gatescope::http {

/// What all exchanges of one generation share. Owned by the Generation.
struct ExchangeContext {
  net::Loop& loop;
  const VariableTable& variables;
  Log& log;                       // main error log
  ServingStats* stats = nullptr;  // the loop's share; null: nothing is counted
  /// Shared by the contexts of one loop, since a body may end after the reload that it saw begin;
  /// null: bodies are kept in memory only.
  std::shared_ptr<BodyFiles> bodies = nullptr;
  // What all answers and log lines of a second say of it.
  mutable SecondText date{date_field}, time_local{log_time_local}, time_iso8601{log_time_iso8601};
};

struct TlsRefusal;

/// What upstream work left for the log and $upstream_*: filled by ProxyHandler, one entry per
/// server tried.
struct UpstreamTry {
  std::string_view address;  // in the arena
  int status = 0;
  MonoTime began{};  // zero: there was no server to try
  std::int64_t connect_ms = -1, header_ms = -1, response_ms = -1;
  std::uint64_t bytes_sent = 0, bytes_received = 0, response_length = 0;
  bool elsewhere = false;  // the first after a redirect: of another group
};

using UpstreamTries = Spare::Vector<UpstreamTry>;

/// One request and its answer: routing, phases, the Responder, error pages, internal redirects,
/// filters, the log line. Owned by its Session, which calls on_over() once at the end, whatever
/// happened. Routing -> Responding -> Ended; Routing again after an internal redirect.
class Exchange final : public SessionExchange,
                       public ResponseWriter,
                       public conf::VariableValues,
                       private RequestBody::Events,
                       private BodySink,
                       private BodyPacer::Events,
                       private net::TurnHook,
                       public Spare::Object {
 public:
  Exchange(const ExchangeContext& context, const ListenAddress& address,
           const ConnectionInfo& connection, ExchangeLink& link, RequestHead head,
           const VirtualServer* tls_server);
  ~Exchange() override;

  // What steps, filters, handlers and variables read
  Request& request() { return request_; }
  const Request& request() const { return request_; }
  const VirtualServer& server() const { return *server_; }
  const Location& location() const { return *location_; }
  const CoreSettings& core() const { return *location_->core; }
  const ConnectionInfo& connection() const { return *request_.connection; }
  const ListenAddress& address() const { return address_; }
  /// As sent, or as far as the filters have come with it: $status, $sent_http_*.
  const ResponseHead& response() const { return response_; }
  bool head_sent() const { return head_sent_; }
  /// response() has its status: the filters of its head see it, as $status too.
  bool head_known() const { return head_known_; }
  std::uint64_t body_bytes_sent() const { return body_sent_; }
  ExchangeLink& link() { return link_; }
  const ExchangeContext& context() const { return context_; }
  MonoTime started() const { return started_; }
  /// $request: the request line, which HTTP/2 gets when somebody asks; empty: no method came.
  std::string_view request_line();
  bool is_internal() const { return internal_; }
  UpstreamTries& upstream_tries() { return upstream_tries_; }
  conf::Captures& captures() { return captures_; }
  std::string_view captures_subject() const { return captures_subject_; }
  void set_captures(conf::Captures captures, std::string_view subject);
  std::optional<std::string_view> value(conf::VariableId id) override;
  void set_value(conf::VariableId id,
                 std::string_view value);  // copied into the arena by the caller
  /// Bytes per second, 0: no limit; `set $limit_rate` or the location's.
  std::uint64_t limit_rate();
  void set_limit_rate(std::uint64_t rate) { limit_rate_ = rate; }
  bool logs(LogLevel level) const;  // whether log() would write it
  /// An `if` whose condition holds: from now on its settings count, filters and handler included.
  void use_settings(const Location& of_if) { enter_location(of_if); }
  /// Field lines behind the body, as sent: $sent_trailer_*.
  const HeaderList& sent_trailers() const { return sent_trailers_; }
  /// Where `uri` lies on the disk for this location (root or alias, $realpath_root not); in the
  /// arena.
  std::string_view map_to_file(std::string_view uri);
  std::string_view document_root();
  /// try_files below `location ~` with alias: the path found is looked for inside the alias.
  void append_uri_to_alias() { uri_in_alias_ = true; }
  /// The type for a body that is no file, as nginx takes for `return 200 text`: by the path's
  /// extension, then default_type.
  std::string_view default_type() const;
  /// Changes path and args, for rewrite and try_files' last parameter; "uri?args" replaces args.
  void set_uri(std::string_view path, std::optional<std::string_view> args);
  /// As nginx before an internal redirect to another path: whatever was asked, a GET (HEAD stays)
  /// goes there. $request still says what was sent.
  void ask_for_page();
  /// Before StepResult::Suspended: what resume() is waited for. A client that leaves cancels it.
  void wait(std::unique_ptr<StepState> wait);
  void resume();
  /// Instead of resume(): the wait's end is an answer.
  void answer_instead(int status);
  /// set_real_ip_from: from now on the client is who the proxy says it is.
  void set_client(const net::Endpoint& client);
  const ConnectionInfo& peer() const { return *peer_; }  // as the connection is
  void hold(std::unique_ptr<StepState> held) { held_.push_back(std::move(held)); }
  struct LimitStatus {
    std::string_view requests, connections;  // $limit_req_status ...; empty: not asked yet
  };
  LimitStatus& limit_status() { return limit_status_; }
  /// A field that the response gets in the end, whatever error page answers: WWW-Authenticate of a
  /// 401. Both texts in the arena.
  void keep_field(std::string_view name, std::string_view value) { kept_fields_.add(name, value); }
  /// The same for the Content-Type of an answer below 300. In the arena.
  void keep_content_type(std::string_view type) { kept_type_ = type; }
  /// Head of the last upstream's response as received, in the arena: $upstream_http_*.
  void set_upstream_head(std::string_view text) { upstream_head_ = text; }
  std::string_view upstream_head() const { return upstream_head_; }
  /// "Name: value" lines, in the arena.
  void set_upstream_trailers(std::string_view text) { upstream_trailers_ = text; }
  std::string_view upstream_trailers() const { return upstream_trailers_; }
  /// Kept as long as the exchange: what it refers to may be replaced while others of its connection
  /// run (HTTP/2). Shared, since they all refer to it.
  void keep_alive(std::shared_ptr<const void> kept) { kept_alive_ = std::move(kept); }
  /// Which one of its connection this is, counting from 1.
  std::uint64_t number_on_connection() const { return number_; }
  /// From a HeadFilter, while heads are filtered: the response's body goes through it, behind those
  /// added before.
  void add_body_filter(std::unique_ptr<BodyFilter> filter);
  /// From a HeadFilter: this response is not sent, but `status` is answered (error_page, the
  /// default page). What keep_field() said goes with it.
  void replace_response(int status) { replacement_ = status; }
  /// From a HeadFilter: of the body only these parts are sent; the filter has seen to the head.
  void set_parts(std::span<const BytePart> parts) { parts_ = parts; }
  /// "https://name:port" as absolute_redirect, server_name_in_redirect and port_in_redirect say.
  std::string_view absolute(std::string_view location);
  /// 499 (the client left before an answer), or what was meant to be answered: $status without a
  /// head sent.
  int client_closed_status() const { return unsent_status_; }
  /// Bytes of the body before and after a filter compressed them, so far; `after` 0: none does.
  struct Compressed {
    std::uint64_t before = 0, after = 0;
  };
  Compressed& compressed() { return compressed_; }
  bool completed() const { return completed_; }         // $request_completion
  std::optional<std::string_view> remote_user() const;  // of an Authorization: Basic field
  /// What an error page that runs will be shown with; 0: none runs, or it says so itself.
  int pending_status() const { return overwrite_status_.value_or(error_status_); }
  bool error_page_running() const { return error_status_ != 0; }
  /// The status of a `return` whose text is being made; 0: there was none.
  int returning() const { return returning_; }
  void set_returning(int status) { returning_ = status; }
  /// Whether an error_page would be answered instead of a response with that status.
  bool has_error_page(int status) const { return find_error_page(status) != nullptr; }
  /// The request's body, read whole: for whoever asked writer.keep_body(), and after an internal
  /// redirect for the next one. Null: not (yet), or there is none.
  const RequestBody* kept_body() const { return body_ && body_->whole() ? body_.get() : nullptr; }
  /// Body bytes came already: a handler that streams cannot begin at the first any more.
  bool body_begun() const { return body_received_ > 0; }
  /// A part of the body was passed on and is gone.
  bool body_forgotten() const { return body_ && body_->forgotten(); }
  const RequestBody* body() const { return body_.get(); }  // as far as it came; null: none
  /// Of a chunked request, once on_body_end() came.
  const HeaderList& request_trailers() const { return request_trailers_; }

  // SessionExchange
  void start() override;
  void on_body(std::span<const std::byte> data) override;
  void on_body_end(const HeaderList& trailers) override;
  void on_body_failed(int status, const Error& error) override;
  void on_writable() override;
  void on_client_gone(const Error& error) override;
  void on_over() override;

  // ResponseWriter
  net::Loop& loop() override { return context_.loop; }
  Arena& arena() override { return link_.arena(); }
  Exchange& exchange() override { return *this; }
  void informational(int status, const HeaderList& headers) override;
  void head(ResponseHead head, bool intercept) override;
  bool wants_body() override;
  std::span<const BytePart> parts() override { return parts_; }
  Flow write(SharedBytes body) override;
  std::optional<std::size_t> write_file(int file, std::uint64_t offset, std::size_t size) override;
  void end(const HeaderList& trailers) override;
  void answer(ResponseHead head, SharedBytes body) override;
  void redirect(std::string_view uri) override;
  /// To a path as it is, which may hold a '?' of its own. `args`: nullopt: there is no '?'.
  void redirect(std::string_view path, std::optional<std::string_view> args);
  void status(int status, std::string_view location) override;
  void fail(const Error& error) override;
  void keep_body() override;
  void pause_body(Pause reason) override;
  void resume_body(Pause reason) override;
  std::unique_ptr<ByteTunnel> upgrade() override;
  void log(LogLevel level, std::string_view message) override;

 private:
  static constexpr unsigned kMaxRedirects = 10;  // nginx's NGX_HTTP_MAX_URI_CHANGES
  enum class State { Routing, Responding, Ended };
  void end_try(UpstreamTry& last) const;
  void count_end();
  void count_sent(std::size_t bytes);
  enum class Phase { ServerRewrite, Find, Rewrite, Access, Precontent, Content };
  struct Slot {
    std::optional<std::string_view> value;
    bool known = false;  // set, captured, or found and kept
  };
  void on_turn_end() override;
  Flow on_paced(SharedBytes bytes) override;
  void on_all_paced() override;
  bool prepare();                          // server, host, path, TLS; false: answered
  bool refuse(const TlsRefusal& refusal);  // false: answered
  void run_phases();
  Slot& slot(conf::VariableId id);
  StepResult run_steps(const std::vector<std::unique_ptr<RequestStep>>& steps);
  void enter_location(const Location& location);
  void start_handler();
  const ErrorPage* find_error_page(int status) const;
  bool try_error_page(int status);
  void send_default_page(int status, std::string_view location);
  void send_head(ResponseHead&& head);
  void answer_instead();
  void forget_age();
  void forget_body();
  Flow on_filtered(SharedBytes bytes) override;
  Flow after_filters(const Result<Flow>& flow);
  void finish_body();
  void cut_off(const Error& error);
  void update_body_wish();
  void drop_responder();
  void do_redirect();
  bool body_too_large(std::uint64_t length);
  bool keeps_no_connection() const;  // keepalive_disable
  RequestBody& make_body();
  void on_body_room() override;
  void on_body_whole() override;
  void on_body_not_kept(const Error& error) override;

  // Constant after construction
  std::shared_ptr<const void> kept_alive_;
  const ExchangeContext& context_;
  const ListenAddress& address_;
  ExchangeLink& link_;
  const MonoTime started_;
  const std::uint64_t number_;
  const VirtualServer* tls_server_;  // chosen by SNI; null: plain

  Request request_;
  const VirtualServer* server_;
  const Location* location_;  // the server's root until one is found
  State state_ = State::Routing;
  Phase phase_ = Phase::ServerRewrite;
  std::size_t step_ = 0;    // within the phase, for resume()
  unsigned redirects_ = 0;  // internal ones so far (at most 10)
  bool uri_in_alias_ = false;
  bool internal_ = false;                // by an internal redirect or error_page
  int error_status_ = 0;                 // not 0: an error_page is being answered for this status
  std::optional<int> overwrite_status_;  // what the client sees instead (error_page 404 =200)
  int returning_ = 0;
  std::string pending_redirect_;      // asked for by the Responder, done at the end of the turn
  std::size_t pending_question_ = 0;  // where its path ends; npos: it has no args
  bool on_stack_ = false;  // run_phases() is below us on the stack: it acts when we return
  std::unique_ptr<Responder> responder_;
  ResponseHead response_;
  HeaderList kept_fields_;
  std::string_view kept_type_, upstream_head_, upstream_trailers_;
  std::span<const BytePart> parts_;
  BodyFilters filters_{*this};  // usually none
  bool flush_wanted_ = false;   // filters were fed in this turn
  bool finishing_ = false;      // end() was called; filters still have bytes
  int replacement_ = 0;         // status that a filter asked for instead; 0: none
  bool head_known_ = false, head_sent_ = false;
  bool body_finished_ = false;  // of the request
  std::uint64_t body_received_ = 0, body_sent_ = 0;
  Compressed compressed_;
  std::uint64_t counted_sent_ = 0, counted_received_ = 0;  // bytes that ServingStats knows of
  HandlerKind answered_by_ = HandlerKind::None;            // the first handler that was asked
  bool keep_body_ = false;             // the Responder gets it whole, from body_
  std::unique_ptr<RequestBody> body_;  // null: nothing of it came yet
  HeaderList request_trailers_;
  unsigned pauses_ = static_cast<unsigned>(Pause::NotStarted);
  bool over_ = false;       // on_over() ran
  bool completed_ = false;  // the response went out whole
  int unsent_status_ = 0;   // for the log, when no head was sent
  conf::Captures captures_;
  std::string_view captures_subject_;
  std::optional<std::string_view> line_;  // $request, once somebody asked
  Slot* slots_ = nullptr;        // by VariableId, in the arena; made when the first is needed
  unsigned variable_depth_ = 0;  // variables that are being found: a cycle of maps ends
  std::optional<std::uint64_t> limit_rate_;
  std::unique_ptr<StepState> wait_;  // null: no step waits
  std::vector<std::unique_ptr<StepState>> held_;
  LimitStatus limit_status_;
  std::unique_ptr<BodyPacer> pacer_;  // null: as fast as the client reads
  bool end_waits_ = false;            // the pacer holds the last of the body
  std::string_view kept_location_;    // of a redirect whose page an error_page makes
  const ConnectionInfo* peer_;
  std::optional<ConnectionInfo> behind_proxy_;  // what request_.connection is, after set_client()
  HeaderList sent_trailers_;
  UpstreamTries upstream_tries_;
};

}  // namespace gatescope::http

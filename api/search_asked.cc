#include "api/search_asked.h"

#include <utility>

namespace gatescope::api {

namespace {

constexpr unsigned kComeAgain = 2;  // seconds

}  // namespace

SearchService::Asked::Asked(SearchService& service, net::Loop& loop, std::uint64_t number,
                            std::string term, Done done)
    : service_(service),
      loop_(loop),
      number_(number),
      term_(std::move(term)),
      done_(std::move(done)),
      gate_(std::make_shared<Gate>(Gate{this})),
      deadline_(loop.make_timer(*this)) {
  deadline_->start(service_.settings_.deadline);
  begin();
}

SearchService::Asked::~Asked() {
  gate_->asked = nullptr;
  if (!at_home_) return;
  service_.ask_home([&service = service_, number = number_] { service.end(number); });
}

void SearchService::Asked::begin() {
  if (service_.where() == SearchWhere::Oeis) return ask_home(true);
  if (auto index = service_.index()) return search(std::move(index));
  ask_home(false);
}

void SearchService::Asked::search(std::shared_ptr<const SearchIndex> index) {
  auto found = std::make_shared<std::vector<FoundSequence>>();
  auto ticket = service_.lane_of(loop_)->submit(
      [index, term = term_, found](unsigned) { *found = index->find(term); },
      [this, index, found] { on_found(index, std::move(*found)); });
  if (!ticket) return refuse_later(ticket.error().detail);
  ticket_ = std::move(*ticket);
}

void SearchService::Asked::on_found(const std::shared_ptr<const SearchIndex>& index,
                                    std::vector<FoundSequence> found) {
  // A new index came meanwhile: nobody may be told, and remember, what only the old one said.
  if (auto now = service_.index(); now != nullptr && now != index) return search(std::move(now));
  if (found.empty() && service_.where() == SearchWhere::LocalThenOeis) return ask_home(true);
  finish(std::move(found));
}

void SearchService::Asked::ask_home(bool oeis) {
  at_home_ = true;
  service_.ask_home([&service = service_, &loop = loop_, number = number_, gate = gate_, oeis,
                     term = term_]() mutable {
    if (oeis)
      service.ask_oeis(number, std::move(term), loop, std::move(gate));
    else
      service.wait_for_index(number, loop, std::move(gate));
  });
}

void SearchService::Asked::on_reply(Reply reply) {
  at_home_ = false;
  if (auto* answer = std::get_if<SearchAnswer>(&reply)) return finish(std::move(*answer));
  begin();
}

void SearchService::Asked::refuse_later(std::string why) {
  trouble_ = std::move(why);
  deadline_->start(Duration(0));
}

void SearchService::Asked::on_timer(net::Timer&) {
  if (trouble_.empty()) trouble_ = "the search took too long; the index may not be ready";
  finish(Unavailable{std::move(trouble_), kComeAgain});
}

void SearchService::Asked::finish(SearchAnswer answer) {
  if (service_.refused_ != nullptr && std::holds_alternative<Unavailable>(answer))
    service_.refused_->add();
  gate_->asked = nullptr;
  ticket_.reset();
  deadline_->stop();
  const Done done = std::move(done_);  // it may destroy this
  done(std::move(answer));
}

}  // namespace gatescope::api

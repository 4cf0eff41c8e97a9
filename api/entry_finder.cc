#include "api/entry_finder.h"

#include <utility>

#include "api/oeisdata.h"

namespace gatescope::api {

void EntryFinder::start(Done done) {
  done_ = std::move(done);
  job_ = sources_.store->load_entry(id_, kStoreDeadline,
                                    [this](auto entry) { on_entry(std::move(entry)); });
}

void EntryFinder::on_entry(Result<std::optional<SeqEntry>> entry) {
  if (!entry || sources_.oeisdata.empty()) return finish(std::move(entry));
  known_ = std::move(*entry);
  auto result = std::make_shared<Result<std::optional<SeqEntry>>>(std::optional<SeqEntry>());
  std::optional<FileStamp> stamp;
  if (known_) stamp = known_->file;
  auto ticket = sources_.lane->submit([folder = sources_.oeisdata, id = id_, stamp, result](
                                          unsigned) { *result = read_oeisdata(folder, id, stamp); },
                                      [this, result] { on_local(std::move(*result)); });
  if (!ticket) return finish(ticket.error());
  ticket_ = std::move(*ticket);
}

void EntryFinder::on_local(Result<std::optional<SeqEntry>> newer) {
  if (!newer) log_.print(LogLevel::Error, "oeisdata: {}", newer.error().detail);  // without it
  if (!newer || !*newer) return finish(std::move(known_));
  job_ = sources_.store->save_entry(std::make_shared<const SeqEntry>(std::move(**newer)),
                                    kStoreDeadline, [this](auto e) { on_kept(std::move(e)); });
}

void EntryFinder::on_kept(Result<std::optional<SeqEntry>> entry) {
  // Not answered from the file instead: it would be forgotten, and asked for again by the next.
  if (entry) events_.on_entry_stored();
  finish(std::move(entry));
}

void EntryFinder::finish(Result<std::optional<SeqEntry>> entry) {
  const Done done = std::move(done_);
  done(std::move(entry));
}

}  // namespace gatescope::api

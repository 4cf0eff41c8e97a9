#pragma once

// What the tests of api share: a folder, a log that remembers, a writer that records, fakes of the
// store and of OEIS that answer when told.

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "api/oeis.h"
#include "api/store.h"
#include "proxy/base/arena.h"
#include "proxy/base/log.h"
#include "proxy/http/handler.h"
#include "proxy/net/loop.h"

namespace gatescope::api {

/// A folder that others may enter, as PostgreSQL's user must; removed at the end.
class OpenFolder {
 public:
  OpenFolder() {
    char name[] = "/tmp/gs-api-XXXXXX";
    if (::mkdtemp(name) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
    ::chmod(name, 0755);
  }
  ~OpenFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  OpenFolder(const OpenFolder&) = delete;
  OpenFolder& operator=(const OpenFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class MemoryLog final : public Log {
 public:
  bool enabled(LogLevel) const override { return true; }
  void write(LogLevel level, std::string_view message) override {
    const std::lock_guard lock(mutex_);
    text_ += std::string(name_of(level)) + ": " + std::string(message) + "\n";
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  bool has(std::string_view part) const { return text().find(part) != std::string::npos; }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

class FakeStore final : public SequenceStore {
 public:
  struct Asked : Job {
    explicit Asked(FakeStore& s, SequenceId i, Loaded d) : store(s), id(i), done(std::move(d)) {
      store.asked.push_back(this);
    }
    ~Asked() override { std::erase(store.asked, this); }
    void answer(Result<StoredSequence> stored) {
      std::erase(store.asked, this);
      const auto tell = std::move(done);
      tell(std::move(stored));
    }
    FakeStore& store;
    SequenceId id;
    Loaded done;
  };
  /// Entries are answered by itself, in a later turn: a question with `entries`, and a save with
  /// what is stored then, or both with `entries_fail`.
  template <class Loaded>
  struct LaterJob : Job {
    std::shared_ptr<Loaded> done;
  };
  net::Loop* loop = nullptr;  // set before an entry is asked for
  std::map<SequenceId, SeqEntry> entries;
  std::map<SequenceId, Metadata> metadata;  // answered like entries
  std::optional<Error> metadata_fails;
  int metadata_loads = 0;
  std::optional<Error> entries_fail, saves_fail;
  int entry_loads = 0, entry_saves = 0;

  std::vector<Asked*> asked;
  int loads = 0;
  std::vector<std::shared_ptr<const Sequence>> saved;
  std::vector<std::string> saved_names;
  struct SavedFactors {
    SequenceId id;
    std::shared_ptr<const Terms> terms, factors;
  };
  std::vector<SavedFactors> saved_factors;

  std::unique_ptr<Job> load(SequenceId id, Duration, Loaded done) override {
    ++loads;
    return std::make_unique<Asked>(*this, id, std::move(done));
  }
  void save(std::shared_ptr<const Sequence> sequence) override {
    saved.push_back(std::move(sequence));
  }
  void save_name(SequenceId, std::string name) override { saved_names.push_back(std::move(name)); }
  void save_factors(SequenceId id, std::shared_ptr<const Terms> terms,
                    std::shared_ptr<const Terms> factors) override {
    saved_factors.push_back({id, std::move(terms), std::move(factors)});
  }
  std::unique_ptr<Job> load_entry(SequenceId id, Duration, EntryLoaded done) override {
    ++entry_loads;
    return answer_entry(id, entries_fail, std::move(done));
  }
  std::unique_ptr<Job> save_entry(std::shared_ptr<const SeqEntry> entry, Duration,
                                  EntryLoaded done) override {
    ++entry_saves;
    if (!saves_fail) entries.insert_or_assign(entry->id, *entry);
    return answer_entry(entry->id, saves_fail, std::move(done));
  }

  std::unique_ptr<Job> load_metadata(SequenceId id, Duration, MetadataLoaded done) override {
    ++metadata_loads;
    return answer_later(metadata, id, metadata_fails, std::move(done));
  }

 private:
  std::unique_ptr<Job> answer_entry(SequenceId id, std::optional<Error> failure, EntryLoaded done) {
    return answer_later(entries, id, failure, std::move(done));
  }
  template <class Value, class Loaded>
  std::unique_ptr<Job> answer_later(const std::map<SequenceId, Value>& from, SequenceId id,
                                    std::optional<Error> failure, Loaded done) {
    auto job = std::make_unique<LaterJob<Loaded>>();
    job->done = std::make_shared<Loaded>(std::move(done));
    loop->post([&from, id, failure, held = std::weak_ptr(job->done)] {
      const auto tell = held.lock();
      if (!tell) return;  // dropped
      if (failure) return (*tell)(*failure);
      const auto found = from.find(id);
      (*tell)(found == from.end() ? std::optional<Value>() : found->second);
    });
    return job;
  }
};

class FakeOeis final : public Oeis {
 public:
  struct Asked : Fetch {
    Asked(std::vector<Asked*>& l, Done d) : list(l), done(std::move(d)) { list.push_back(this); }
    ~Asked() override { std::erase(list, this); }
    void answer(OeisAnswer with) {
      std::erase(list, this);
      const auto tell = std::move(done);
      tell(std::move(with));
    }
    std::vector<Asked*>& list;
    Done done;
  };
  std::vector<Asked*> bfiles, records, searches;
  std::vector<std::string> terms;  // of the searches
  int fetches = 0;

  std::unique_ptr<Fetch> fetch_bfile(SequenceId, Urgency, Done done) override {
    ++fetches;
    return std::make_unique<Asked>(bfiles, std::move(done));
  }
  std::unique_ptr<Fetch> fetch_record(SequenceId, Urgency, Done done) override {
    return std::make_unique<Asked>(records, std::move(done));
  }
  std::unique_ptr<Fetch> search(std::string term, Done done) override {
    terms.push_back(std::move(term));
    return std::make_unique<Asked>(searches, std::move(done));
  }
};

class RecordingWriter final : public http::ResponseWriter {
 public:
  explicit RecordingWriter(net::Loop* loop = nullptr) : loop_(loop) {}
  int status_code = 0;  // 0: no answer yet
  std::string body;
  http::ResponseHead sent;
  bool ended = false;

  std::string header(std::string_view name) const {
    return std::string(sent.headers.find(name).value_or(""));
  }
  net::Loop& loop() override {
    return loop_ != nullptr ? *loop_ : throw std::logic_error("no loop in this test");
  }
  Arena& arena() override { return arena_; }
  http::Exchange& exchange() override { throw std::logic_error("no exchange in this test"); }
  void informational(int, const http::HeaderList&) override {}
  void head(http::ResponseHead head, bool) override {
    sent = std::move(head);
    status_code = sent.status;
  }
  Flow write(SharedBytes bytes) override {
    body += bytes.text();
    return Flow::GoOn;
  }
  void end(const http::HeaderList&) override { ended = true; }
  void answer(http::ResponseHead response, SharedBytes bytes) override {
    head(std::move(response), false);
    body = bytes.text();
    ended = true;
  }
  void redirect(std::string_view) override {}
  void status(int code, std::string_view) override { status_code = code; }
  void fail(const Error& error) override { throw std::logic_error(error.detail); }
  void keep_body() override {}
  void pause_body(http::Pause) override {}
  void resume_body(http::Pause) override {}
  std::unique_ptr<http::ByteTunnel> upgrade() override { return nullptr; }
  void log(LogLevel, std::string_view) override {}

 private:
  net::Loop* const loop_;
  Arena arena_;
};

}  // namespace gatescope::api

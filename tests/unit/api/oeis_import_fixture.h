#pragma once

// A made-up tree of entries, and an import of it that can be watched.

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "api/oeis_import.h"
#include "tests/unit/api/pg_fixture.h"

namespace gatescope::api {

/// Files seq/A000/A000040.seq in a folder of its own.
struct EntryTree {
  OpenFolder folder;

  const std::string& path() const { return folder.path(); }
  std::string file_of(unsigned number) const {
    const std::string id = SequenceId(number).text();
    return path() + "/seq/" + id.substr(0, 4) + "/" + id + ".seq";
  }
  /// An entry with this name and these cross references.
  void write(unsigned number, const std::string& name, const std::string& xrefs = "") {
    const std::string id = SequenceId(number).text();
    raw(number, "%I " + id + " #1\n%S " + id + " 1,-2,\n%T " + id + " 3\n%N " + id + " " + name +
                    "\n" + (xrefs.empty() ? "" : "%Y " + id + " " + xrefs + "\n") + "%K " + id +
                    " nice\n%O " + id + " 5,2\n");
  }
  /// Whatever text. Its time of change is another one each time.
  void raw(unsigned number, const std::string& text) {
    const std::filesystem::path file = file_of(number);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    std::filesystem::last_write_time(
        file, std::filesystem::file_time_type(std::chrono::nanoseconds(++clock_)));
  }
  void remove(unsigned number) { std::filesystem::remove(file_of(number)); }

 private:
  std::int64_t clock_ = 1;
};

struct WatchedImport final : OeisImportEvents {
  std::vector<std::string> problems, notes, steps;
  std::uint64_t files = 0;  // that were read
  std::function<void(const ImportProgress&)> at_progress;

  void on_progress(const ImportProgress& progress) override {
    if (steps.empty() || steps.back() != progress.what) steps.emplace_back(progress.what);
    if (progress.phase == ImportProgress::Phase::Reading) files = progress.done;
    if (at_progress) at_progress(progress);
  }
  void on_problem(const std::string& problem) override { problems.push_back(problem); }
  void on_note(const std::string& note) override { notes.push_back(note); }
  bool noted(const std::string& part) const {
    for (const auto& note : notes)
      if (note.find(part) != std::string::npos) return true;
    return false;
  }
};

/// "added changed removed unchanged problems", or the error.
inline std::string told(const Result<ImportReport>& report) {
  if (!report) return report.error().detail;
  std::string text;
  for (const auto n :
       {report->added, report->changed, report->removed, report->unchanged, report->problems})
    text += (text.empty() ? "" : " ") + std::to_string(n);
  return text;
}

struct ImportFixture : PgFixture {
  EntryTree tree;
  ImportFixture() {
    start();
    open_store();
  }
  std::string import(const std::string& path, WatchedImport& watched, bool prune = false) {
    OeisImport import(
        {.connection = postgres->connection_string(), .path = path, .threads = 2, .prune = prune},
        watched);
    return told(import.run());
  }
  std::string import(bool prune = false) {
    WatchedImport watched;
    return import(tree.path(), watched, prune);
  }
  std::string backrefs(unsigned number) {
    const auto metadata = load_metadata(number);
    std::string out;
    if (!metadata) return "unknown";
    for (const auto id : metadata->backrefs)
      out += (out.empty() ? "" : " ") + std::to_string(id.number());
    return out;
  }
  /// backref is what the entries say, turned around.
  bool references_fit() {
    return sql("SELECT NOT EXISTS ((SELECT target, unnest(sources) FROM gatescope.backref EXCEPT "
               "SELECT unnest(mentions), number FROM gatescope.entry) UNION ALL (SELECT "
               "unnest(mentions), number FROM gatescope.entry EXCEPT SELECT target, "
               "unnest(sources) FROM gatescope.backref)) AND coalesce((SELECT bool_and(refs = "
               "cardinality(sources)) FROM gatescope.backref), true)") == "t";
  }
};

}  // namespace gatescope::api

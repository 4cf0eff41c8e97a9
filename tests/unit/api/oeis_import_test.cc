#include <unistd.h>

#include "api/pg_import.h"
#include "proxy/http/encoding.h"
#include "tests/unit/api/oeis_import_fixture.h"

namespace gatescope::api {
namespace {

TEST_CASE("import: a tree is stored, and again only what changed") {
  ImportFixture f;
  f.tree.write(40, "The primes.", "Cf. A000045, A000010.");
  f.tree.write(45, "Fibonacci \xE9 numbers.", "Cf. A000040.");
  f.tree.write(123456, "Another.", "A000040-A000045");
  f.tree.raw(397217, "%I A397217\n%S A397217 \n%N A397217 allocated for X\n%K A397217 allocated\n");
  CHECK(f.import() == "4 0 0 0 0");
  CHECK(f.load_metadata(40)->name == "The primes.");
  CHECK(f.load_metadata(40)->xrefs == "Cf. A000045, A000010.");
  CHECK(f.load_metadata(40)->imported);
  CHECK(f.load_metadata(45)->name == "Fibonacci \xEF\xBF\xBD numbers.");
  CHECK(f.backrefs(40) == "45 123456");
  CHECK(f.backrefs(45) == "40 123456");
  CHECK(f.backrefs(10) == "40");  // though it has no entry
  CHECK(f.backrefs(397217) == "");
  const auto entry = f.load_entry(40);
  REQUIRE(entry);
  REQUIRE(*entry);
  CHECK((*entry)->offset == 5);
  CHECK(joined((*entry)->terms) == "1|-2|3");
  CHECK(f.sql("SELECT flags FROM gatescope.entry WHERE number = 40") == "2");
  CHECK(f.references_fit());

  WatchedImport again;
  CHECK(f.import(f.tree.path(), again) == "0 0 0 4 0");
  CHECK(again.files == 0);

  f.tree.write(40, "The prime numbers.", "Cf. A000010, A000041.");
  f.tree.write(41, "New.");
  f.tree.remove(123456);
  WatchedImport third;
  CHECK(f.import(f.tree.path() + "/seq", third) == "1 1 1 2 0");  // the same tree
  CHECK(third.files == 2);
  CHECK(f.load_metadata(40)->name == "The prime numbers.");
  CHECK(f.backrefs(41) == "40");
  CHECK(f.backrefs(40) == "45");
  CHECK(f.backrefs(45) == "");
  CHECK(!*f.load_entry(123456));
  CHECK(f.references_fit());
}

TEST_CASE("import: a bad file is named and skipped, and its entry stays what it was") {
  ImportFixture f;
  f.tree.write(40, "Good.");
  f.tree.write(41, "Good for now.");
  CHECK(f.import() == "2 0 0 0 0");
  f.tree.raw(41, "%I A000041\n%S A000041 1,two\n");
  f.tree.raw(42, "no entry");
  std::filesystem::create_directory(f.tree.file_of(43));
  f.tree.write(44, "Also good.");
  WatchedImport watched;
  CHECK(f.import(f.tree.path(), watched) == "1 0 0 1 3");
  REQUIRE(watched.problems.size() == 3);
  for (const unsigned number : {41u, 42u, 43u}) {
    CHECK(std::count_if(watched.problems.begin(), watched.problems.end(), [&](const auto& problem) {
            return problem.find(f.tree.file_of(number)) != std::string::npos;
          }) == 1);
  }
  CHECK(f.load_metadata(41)->name == "Good for now.");
  CHECK(f.load_metadata(44)->name == "Also good.");
}

TEST_CASE("import: much that is gone at once has to be confirmed") {
  ImportFixture f;
  for (unsigned n = 1; n <= 150; ++n)
    f.tree.write(n, "x", "A000001");
  CHECK(f.import() == "150 0 0 0 0");
  for (unsigned n = 2; n <= 110; ++n)
    f.tree.remove(n);
  WatchedImport watched;
  CHECK(f.import(f.tree.path(), watched) == "0 0 0 41 0");
  CHECK(watched.noted("109 of 150 entries are no longer in"));
  CHECK(watched.noted("--prune"));
  CHECK(f.import(true) == "0 0 109 41 0");
  CHECK(f.sql("SELECT count(*) FROM gatescope.entry") == "41");
  CHECK(f.references_fit());
}

TEST_CASE("import: another tree neither removes nor forgets what the first one has") {
  ImportFixture f;
  EntryTree other;
  f.tree.write(40, "First.", "A000041");
  f.tree.write(41, "First.");
  other.write(41, "Second.", "A000040");
  WatchedImport watched;
  CHECK(f.import() == "2 0 0 0 0");
  CHECK(f.import(other.path(), watched) == "0 1 0 0 0");
  CHECK(f.load_metadata(40)->name == "First.");
  CHECK(f.load_metadata(41)->name == "Second.");
  CHECK(f.references_fit());
}

TEST_CASE("import: interrupted, the database is as before, and the next one goes on") {
  ImportFixture f;
  f.tree.write(40, "Before.", "A000045");
  CHECK(f.import() == "1 0 0 0 0");
  f.tree.write(40, "After.", "A000046");
  for (unsigned n = 1000; n < 4000; ++n)
    f.tree.write(n, "x", "A000045");
  WatchedImport watched;
  OeisImport import(
      {.connection = f.postgres->connection_string(), .path = f.tree.path(), .threads = 2},
      watched);
  const auto as_before = [&] {
    CHECK(f.load_metadata(40)->name == "Before.");
    CHECK(f.backrefs(45) == "40");
    CHECK(f.sql("SELECT count(*) FROM gatescope.entry") == "1");
  };
  std::size_t read_before = 0;
  SECTION("while it reads") {
    watched.at_progress = [&](const ImportProgress& progress) {
      if (progress.phase == ImportProgress::Phase::Reading) import.stop();
    };
    CHECK(told(import.run()) == "interrupted");
    CHECK(watched.files < 3000);
    read_before = watched.files;
  }
  SECTION("while it stores") {
    watched.at_progress = [&](const ImportProgress& progress) {
      if (progress.what == "entries") import.stop();
    };
    CHECK(told(import.run()) == "interrupted");
    read_before = watched.files;
  }
  SECTION("by the end of its connection: so it looks when it is killed") {
    watched.at_progress = [&](const ImportProgress& progress) {
      if (progress.what == "entries")
        f.sql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
            "application_name = 'gatescope oeis import'");
    };
    CHECK(told(import.run()).starts_with("database: "));
    read_before = watched.files;
  }
  as_before();
  WatchedImport next;
  CHECK(f.import(f.tree.path(), next) == "3000 1 0 0 0");
  CHECK(read_before > 0);
  CHECK(next.files + read_before <= 3001 + 200 * 2);  // batches on their way were lost
  CHECK(next.noted("read by an import that did not come to its end"));
  CHECK(f.load_metadata(40)->name == "After.");
  CHECK(f.references_fit());
  CHECK(f.sql("SELECT count(*) FROM gatescope.import_entry") == "0");
}

TEST_CASE("import: what was staged is not applied when the tree is another one by then") {
  ImportFixture f;
  for (unsigned n = 1; n <= 3; ++n)
    f.tree.write(n, "old");
  WatchedImport watched;
  OeisImport import(
      {.connection = f.postgres->connection_string(), .path = f.tree.path(), .threads = 1},
      watched);
  watched.at_progress = [&](const ImportProgress& progress) {
    if (progress.what == "entries") import.stop();
  };
  CHECK(told(import.run()) == "interrupted");
  CHECK(f.sql("SELECT count(*) FROM gatescope.import_entry") == "3");
  f.tree.write(1, "new");
  f.tree.remove(2);
  CHECK(f.import() == "2 0 0 0 0");
  CHECK(f.load_metadata(1)->name == "new");
  CHECK(!*f.load_entry(2));
  CHECK(f.load_metadata(3)->name == "old");
}

TEST_CASE("import: two at once are one, and the other is told so") {
  ImportFixture f;
  f.tree.write(40, "x");
  {
    const auto first = PgImport::open(f.postgres->connection_string());
    REQUIRE(first);
    CHECK(f.import().find("another import is working on this database (since 2") == 0);
  }
  REQUIRE(f.until([&] {  // the backend of the first may live a moment longer than its client
    return f.import() == "1 0 0 0 0" || f.sql("SELECT count(*) FROM gatescope.entry") == "1";
  }));
}

TEST_CASE("import beside a server that stores single entries") {
  ImportFixture f;
  const auto single = [&](unsigned number, const std::string& text) {
    auto entry = parse_seq_file(SequenceId(number), text);
    REQUIRE(entry);
    return f.save_entry(*entry);
  };
  SECTION("they count as references at once") {
    CHECK(single(40, "%I A000040\n%N A000040 x\n%Y A000040 A000045 A000010\n"));
    CHECK(single(41, "%I A000041\n%N A000041 y\n%Y A000041 A000045\n"));
    CHECK(f.backrefs(45) == "40 41");
    CHECK(single(40, "%I A000040\n%N A000040 x\n%Y A000040 A000046 A000010\n"));
    CHECK(f.backrefs(45) == "41");
    CHECK(f.backrefs(46) == "40");
    CHECK(f.references_fit());
  }
  SECTION("an import replaces them, and they replace what is imported") {
    CHECK(single(40, "%I A000040\n%N A000040 single\n%Y A000040 A000045\n"));
    CHECK(!f.load_metadata(40)->imported);
    f.tree.write(40, "tree", "A000046");
    CHECK(f.import() == "0 1 0 0 0");
    CHECK(f.load_metadata(40)->imported);
    CHECK(f.backrefs(46) == "40");
    CHECK(single(40, "%I A000040\n%N A000040 newer\n%Y A000040 A000047\n"));
    CHECK(f.load_metadata(40)->name == "newer");
    CHECK(f.load_metadata(40)->imported);
    CHECK(f.backrefs(47) == "40");
    CHECK(f.import() == "0 1 0 0 0");  // its file is another one
    CHECK(f.load_metadata(40)->name == "tree");
  }
  SECTION("while it is applied nothing is stored singly, and nobody waits") {
    f.tree.write(41, "tree");
    WatchedImport watched;
    watched.at_progress = [&](const ImportProgress& progress) {
      if (progress.what != "entries") return;
      const auto saved = single(40, "%I A000040\n%N A000040 x\n");
      REQUIRE(saved);
      REQUIRE(*saved);
      CHECK((*saved)->name == "x");
    };
    CHECK(f.import(f.tree.path(), watched) == "1 0 0 0 0");
    CHECK(f.sql("SELECT count(*) FROM gatescope.entry") == "1");
  }
}

TEST_CASE("import of lists: names and terms, packed or not, beside a tree") {
  ImportFixture f;
  OpenFolder lists;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(lists / name, std::ios::binary) << text;
  };
  f.tree.write(40, "From the tree.", "A000045");
  CHECK(f.import() == "1 0 0 0 0");
  write("names.gz", *http::encode_whole({},
                                        "# x\nA000040 From a list.\nA000041 See A000045.\n"
                                        "A000042 Erd\xF5s\nA397217 allocated for X\n"));
  write("stripped", "# x\nA000040 ,9,\nA000041 ,1,-1,2,\nA000043 ,7,\n");
  WatchedImport watched;
  CHECK(f.import(lists.path(), watched) == "4 0 0 1 0");
  CHECK(f.load_metadata(40)->name == "From the tree.");
  CHECK(f.load_metadata(41)->name == "See A000045.");
  CHECK(!f.load_metadata(41)->imported);
  CHECK(f.load_metadata(42)->name == "Erd\xEF\xBF\xBDs");
  CHECK(f.load_metadata(397217)->name == "allocated for X");
  CHECK(!f.load_metadata(43)->name);
  CHECK(f.backrefs(45) == "40 41");
  CHECK(f.sql("SELECT terms FROM gatescope.entry WHERE number = 41") == "1,-1,2");
  CHECK((*f.load_entry(41))->terms.empty());  // where they begin is not known
  CHECK(f.import(lists.path(), watched) == "0 0 0 5 0");
  // One list alone leaves the other's part
  write("names.gz", "A000041 Renamed.\n");
  CHECK(f.import(lists / "names.gz", watched) == "0 1 0 0 0");
  CHECK(f.sql("SELECT name || terms FROM gatescope.entry WHERE number = 41") == "Renamed.1,-1,2");
  CHECK(f.backrefs(45) == "40");
  write("stripped", "A000041 ,5,\nA000042 bad\n");
  CHECK(f.import(lists / "stripped", watched) == "0 1 0 0 1");
  CHECK(f.sql("SELECT name || terms FROM gatescope.entry WHERE number = 41") == "Renamed.5");
  CHECK(f.references_fit());
  // A tree that has them now comes first
  f.tree.write(41, "Tree.");
  CHECK(f.import() == "0 1 0 1 0");
  CHECK(f.load_metadata(41)->imported);
  CHECK(!(*f.load_entry(41))->terms.empty());
}

TEST_CASE("import of what is nothing of the kind is refused, and changes nothing") {
  ImportFixture f;
  OpenFolder empty;
  std::ofstream(empty / "names.gz") << "\x1f\x8b rubbish";
  CHECK(f.import("", *std::make_unique<WatchedImport>()).find("failed (2:") != std::string::npos);
  WatchedImport watched;
  CHECK(f.import("/nonexistent", watched).find("failed (2: No such file") != std::string::npos);
  CHECK(f.import(empty.path(), watched).find("gzip") != std::string::npos);
  std::filesystem::remove(empty / "names.gz");
  CHECK(f.import(empty.path(), watched).find("is no clone of oeis/oeisdata") != std::string::npos);
  OeisImport nowhere({.connection = "host=/nonexistent dbname=x", .path = f.tree.path()}, watched);
  f.tree.write(1, "x");
  CHECK(nowhere.run().error().kind == ErrorKind::Unavailable);
}

TEST_CASE("a tree with folders that cannot be read loses nothing") {
  if (::geteuid() == 0) return;  // root reads everything
  ImportFixture f;
  f.tree.write(1, "x");
  f.tree.write(100'000, "y");
  CHECK(f.import() == "2 0 0 0 0");
  std::filesystem::permissions(f.tree.path() + "/seq/A100", std::filesystem::perms::none);
  WatchedImport watched;
  CHECK(f.import(f.tree.path(), watched) == "0 0 0 1 1");
  CHECK(watched.noted("not all of it could be read"));
  std::filesystem::permissions(f.tree.path() + "/seq/A100", std::filesystem::perms::owner_all);
  CHECK(f.import() == "0 0 0 2 0");
}

}  // namespace
}  // namespace gatescope::api

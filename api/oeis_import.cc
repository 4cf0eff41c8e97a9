#include "api/oeis_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <thread>
#include <utility>

#include "api/entry_reader.h"
#include "api/utf8.h"

namespace gatescope::api {

namespace {

using Phase = ImportProgress::Phase;

constexpr std::size_t kCommitAfter = 20'000;  // entries: what a killed import reads again, at most
// More than that is gone at once from a tree that is being cloned or checked out just now, or of
// which a part is hidden: to be confirmed.
constexpr std::size_t kMostGone = 100;
constexpr std::size_t kMostGoneParts = 10;  // one tenth
constexpr std::size_t kListPart = 1000;

Error cancelled() {
  return make_error(ErrorKind::Cancelled, Origin::Internal, "interrupted");
}

unsigned reading_threads(unsigned wanted) {
  if (wanted > 0) return wanted;
  return std::clamp(std::thread::hardware_concurrency(), 1u, 16u);
}

}  // namespace

TreePlan plan_import(const OeisTree& tree, const PgImport::KnownTree& known) {
  TreePlan plan;
  auto stored = known.stored.begin();
  auto staged = known.staged.begin();
  const auto pass = [&](auto& at, const auto& end, auto id, auto& passed) {
    for (; at != end && at->id < id; ++at)
      passed.push_back(at->id);
    return at != end && at->id == id ? &*at++ : nullptr;
  };
  for (std::size_t i = 0; i < tree.files.size(); ++i) {
    const TreeFile& file = tree.files[i];
    const auto* in_stored = pass(stored, known.stored.end(), file.id, plan.gone);
    const auto* in_staged = pass(staged, known.staged.end(), file.id, plan.stale);
    if (in_staged != nullptr && in_staged->stamp == file.stamp) {
      ++plan.staged;
      continue;
    }
    if (in_staged != nullptr) plan.stale.push_back(file.id);
    if (in_stored != nullptr && in_stored->stamp == file.stamp)
      ++plan.unchanged;
    else
      plan.to_read.push_back(i);
  }
  for (; stored != known.stored.end(); ++stored)
    plan.gone.push_back(stored->id);
  for (; staged != known.staged.end(); ++staged)
    plan.stale.push_back(staged->id);
  return plan;
}

OeisImport::OeisImport(OeisImportSettings settings, OeisImportEvents& events)
    : settings_(std::move(settings)), events_(events) {}
OeisImport::~OeisImport() = default;

void OeisImport::stop() {
  stopped_ = true;
  const std::lock_guard lock(mutex_);
  if (database_) database_->cancel();
}

void OeisImport::problem(const std::string& what) {
  ++report_.problems;
  events_.on_problem(what);
}

Result<ImportReport> OeisImport::run() {
  const auto sources = find_oeis_sources(settings_.path);
  if (!sources) return sources.error();
  auto database = PgImport::open(settings_.connection);
  if (!database) return database.error();
  {
    const std::lock_guard lock(mutex_);
    database_ = std::move(*database);
  }
  Result<void> done;
  if (!sources->tree.empty()) done = import_tree(sources->tree);
  if (done && !sources->lists.empty()) done = import_lists(sources->lists);
  {
    const std::lock_guard lock(mutex_);
    database_.reset();  // others may import now
  }
  if (stopped_ && !done) return cancelled();
  if (!done) return done.error();
  return report_;
}

Result<void> OeisImport::import_tree(const std::string& folder) {
  const auto tree = list_oeis_tree(
      folder, reading_threads(settings_.threads), stopped_, [&](std::size_t n, std::size_t all) {
        events_.on_progress({.phase = Phase::Listing, .what = "looking", .done = n, .total = all});
      });
  if (!tree) return tree.error();
  for (const auto& what : tree->problems)
    problem(what);
  const auto known = database_->begin_tree(tree->path);
  if (!known) return known.error();
  auto plan = plan_import(*tree, *known);
  report_.unchanged += plan.unchanged;
  if (auto dropped = database_->drop_staged(plan.stale); !dropped) return dropped;
  return read_tree(*tree, plan, known->stored.size());
}

Result<void> OeisImport::read_tree(const OeisTree& tree, TreePlan& plan, std::size_t stored) {
  const bool much = plan.gone.size() > std::max(kMostGone, stored / kMostGoneParts);
  if (!plan.gone.empty() && (!tree.whole || (much && !settings_.prune))) {
    events_.on_note(fmt::format(
        "{} of {} entries are no longer in \"{}\"; they are kept: {}", plan.gone.size(), stored,
        tree.path,
        tree.whole ? "if that is meant, --prune removes them" : "not all of it could be read"));
    plan.gone.clear();
  }
  if (plan.staged > 0)
    events_.on_note(
        fmt::format("{} files were read by an import that did not come to its end", plan.staged));
  ImportProgress progress{.phase = Phase::Reading, .what = "reading", .total = plan.to_read.size()};
  std::size_t uncommitted = 0;
  EntryReader reader(tree, std::move(plan.to_read), reading_threads(settings_.threads));
  while (const auto batch = reader.next()) {
    for (const auto& what : batch->problems)
      problem(what);
    if (auto staged = database_->stage(batch->entries); !staged) return staged;
    uncommitted += batch->entries.size();
    if (uncommitted >= kCommitAfter || stopped_) {
      if (auto committed = database_->commit_staged(); !committed) return committed;
      uncommitted = 0;
    }
    if (stopped_) return cancelled();
    progress.done += batch->files;
    events_.on_progress(progress);
  }
  return apply(plan.gone);
}

Result<void> OeisImport::apply(const std::vector<SequenceId>& gone) {
  const auto counts = database_->apply(gone, [&](std::string_view step) {
    events_.on_progress({.phase = Phase::Storing, .what = step});
    return !stopped_;
  });
  if (!counts) return counts.error();
  report_.added += counts->added;
  report_.changed += counts->changed;
  report_.removed += counts->removed;
  return {};
}

Result<OeisImport::Texts> OeisImport::read_list(OeisList& list) {
  Texts texts;
  auto read = list.read(
      [&](const OeisList::Line& line) {
        texts.emplace_back(line.id.number(), valid_utf8(line.text));
        if (texts.size() % 1000 == 0)
          events_.on_progress({.phase = Phase::Reading,
                               .what = list.holds() == OeisList::Holds::Names ? "names" : "terms",
                               .done = list.bytes_read(),
                               .total = list.bytes()});
        return !stopped_;
      },
      [&](const std::string& what) { problem(what); });
  if (stopped_) return cancelled();
  if (!read) return read.error();
  std::stable_sort(texts.begin(), texts.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return texts;
}

Result<void> OeisImport::import_lists(const std::vector<std::string>& paths) {
  Texts names, terms;
  Result<void> result;
  for (const auto& path : paths) {
    auto list = OeisList::open(path);
    Result<Texts> texts = list ? read_list(*list) : Result<Texts>(list.error());
    if (!texts) {
      // Half a list would not be wrong, but a damaged file is no list.
      result = texts.error();
      if (stopped_) return result;
      problem(texts.error().detail);
      continue;
    }
    (list->holds() == OeisList::Holds::Names ? names : terms) = std::move(*texts);
  }
  if (names.empty() && terms.empty()) return result;
  return store_lists(std::move(names), std::move(terms));
}

Result<void> OeisImport::store_lists(Texts names, Texts terms) {
  if (auto begun = database_->begin_lists(); !begun) return begun;
  // The last of those that come twice.
  const auto take = [](Texts& texts, std::size_t& at, std::uint32_t number) {
    std::optional<std::string> taken;
    for (; at < texts.size() && texts[at].first == number; ++at)
      taken = std::move(texts[at].second);
    return taken;
  };
  std::size_t all = 0;
  std::vector<ListedEntry> some;
  for (std::size_t n = 0, t = 0; n < names.size() || t < terms.size();) {
    constexpr auto kNone = std::numeric_limits<std::uint32_t>::max();
    const std::uint32_t number = std::min(n < names.size() ? names[n].first : kNone,
                                          t < terms.size() ? terms[t].first : kNone);
    auto name = take(names, n, number);
    some.push_back(
        {.id = SequenceId(number), .name = std::move(name), .terms = take(terms, t, number)});
    ++all;
    if (some.size() < kListPart && (n < names.size() || t < terms.size())) continue;
    if (auto staged = database_->stage(some); !staged) return staged;
    some.clear();
    if (stopped_) return cancelled();
    events_.on_progress({.phase = Phase::Storing, .what = "copying"});
  }
  const std::size_t before = report_.added + report_.changed;
  if (auto applied = apply({}); !applied) return applied;
  report_.unchanged += all - (report_.added + report_.changed - before);
  return {};
}

}  // namespace gatescope::api

#include "api/sample/write_sample.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include "proxy/base/unique_fd.h"

namespace gatescope::api {

namespace {

namespace fs = std::filesystem;

/// To be raised when a generator or the shape of the entries changes; the rows' texts are seen by
/// the fingerprint.
constexpr int kGeneration = 1;

constexpr std::string_view kVersionStart = "gatescope sample ";

constexpr std::string_view kReadme =
    R"(Sample data of gatescope, in the shape of the data of the On-Line Encyclopedia of Integer Sequences.

The terms were computed by gatescope, and the names and cross references are gatescope's own words;
nothing here was copied from the encyclopedia. The A-numbers, offsets and keywords are those of
https://oeis.org, where the real entry of A000040 is found at https://oeis.org/A000040.

gatescope writes this folder again when its VERSION is not the program's: do not keep anything here.
)";

std::string version_text() {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  auto mix = [&hash](std::string_view text) {
    for (unsigned char c : text)
      hash = (hash ^ c) * 0x100000001b3;
    hash = (hash ^ 0xff) * 0x100000001b3;  // ends a text: no UTF-8 byte
  };
  for (const SampleSequence& row : sample_sequences()) {
    mix(std::to_string(row.number));
    mix(std::to_string(row.first_index));
    mix(row.keywords);
    mix(row.name);
    mix(row.related);
  }
  return std::string(kVersionStart) + std::to_string(kGeneration) + "." +
         std::to_string(kSampleTerms) + "." + std::to_string(hash) + "\n";
}

/// Empty when there is none, or none that can be read.
std::string read_version(const fs::path& dir) {
  std::ifstream file(dir / "VERSION", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

fs::path entry_path(const fs::path& seq, int number) {
  std::string id = sample_id(number);
  return seq / id.substr(0, 4) / (id + ".seq");
}

bool is_up_to_date(const fs::path& dir) {
  if (read_version(dir) != version_text()) return false;
  for (const SampleSequence& row : sample_sequences()) {
    std::error_code error;
    std::uintmax_t size = fs::file_size(entry_path(dir / "seq", row.number), error);
    if (error || size == 0) return false;
  }
  return true;
}

Error failed(int errno_value, std::string_view call, const fs::path& path) {
  return system_error(errno_value, std::string(call) + " \"" + path.string() + "\"");
}

Result<void> make_dirs(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return failed(error.value(), "mkdir()", path);
  return {};
}

Result<void> move(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return failed(error.value(), "rename() to", to);
  return {};
}

Result<void> write_file(const fs::path& path, std::string_view text) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return failed(errno, "open()", path);
  while (!text.empty()) {
    ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed(errno, "write()", path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::close(file.release()) != 0) return failed(errno, "close()", path);
  return {};
}

/// A folder with a name of its own inside `dir`, so that two writers do not mix their files.
/// Removed with all that is left in it.
class Workshop {
 public:
  Workshop() = default;
  Workshop(Workshop&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Workshop& operator=(Workshop&&) = delete;
  ~Workshop() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }

  static Result<Workshop> in(const fs::path& dir) {
    std::string name = (dir / ".new-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) return failed(errno, "mkdtemp()", name);
    Workshop workshop;
    workshop.path_ = name;
    return workshop;
  }

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;  // empty: moved from
};

Result<SampleReport> write_entries(const fs::path& seq,
                                   const std::function<void(std::size_t, std::size_t)>& progress) {
  SampleReport report{.written = true};
  for (const SampleSequence& row : sample_sequences()) {
    SampleTerms terms = row.terms(kSampleTerms);
    std::string entry = sample_entry(row, terms);
    fs::path path = entry_path(seq, row.number);
    if (auto made = make_dirs(path.parent_path()); !made) return made.error();
    if (auto done = write_file(path, entry); !done) return done.error();
    ++report.sequences;
    report.terms += terms.size();
    report.bytes += entry.size();
    if (progress) progress(report.sequences, sample_sequences().size());
  }
  return report;
}

/// Puts the finished tree in place. The old one goes first and VERSION comes before the new one: a
/// crash in between leaves no seq, hence a tree that is not up to date.
Result<void> install(const Workshop& workshop, const fs::path& dir) {
  if (std::error_code error; fs::exists(dir / "seq", error)) {
    if (auto moved = move(dir / "seq", workshop.path() / "old"); !moved) return moved;
  }
  for (std::string_view name : {"VERSION", "README"}) {
    if (auto moved = move(workshop.path() / name, dir / name); !moved) return moved;
  }
  return move(workshop.path() / "seq", dir / "seq");
}

}  // namespace

Result<SampleReport> write_sample(const fs::path& dir,
                                  const std::function<void(std::size_t, std::size_t)>& progress) {
  if (is_up_to_date(dir)) return SampleReport{.sequences = sample_sequences().size()};
  std::error_code error;
  if (fs::exists(dir / "seq", error) && !read_version(dir).starts_with(kVersionStart)) {
    return make_error(
        ErrorKind::Invalid, Origin::Internal,
        "\"" + (dir / "seq").string() +
            "\" is not a sample written by gatescope; name another folder for the sample");
  }

  if (auto made = make_dirs(dir); !made) return made.error();
  auto workshop = Workshop::in(dir);
  if (!workshop) return workshop.error();
  const fs::path& fresh = workshop->path();
  auto report = write_entries(fresh / "seq", progress);
  if (!report) return report;
  if (auto done = write_file(fresh / "VERSION", version_text()); !done) return done.error();
  if (auto done = write_file(fresh / "README", kReadme); !done) return done.error();
  if (auto installed = install(*workshop, dir); !installed) return installed.error();
  return report;
}

}  // namespace gatescope::api

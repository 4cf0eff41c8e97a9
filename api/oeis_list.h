#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/sequence_id.h"
#include "proxy/base/result.h"

namespace gatescope::api {

/// Reads OEIS's names.gz or stripped.gz, packed or not, line by line: "A000040 The prime numbers."
/// or "A000040 ,2,3,5,". Blocking; owned by who reads.
class OeisList {
 public:
  struct Line {
    std::size_t number = 0;  // counted from 1
    SequenceId id{0};
    std::string_view text;  // the name, or "2,3,5"; good until the next call
  };
  enum class Holds { Names, Terms };

  /// Looks at the first line to see what it holds. Error Protocol: neither.
  static Result<OeisList> open(const std::string& path);
  OeisList(OeisList&&) noexcept;
  ~OeisList();

  Holds holds() const { return holds_; }
  const std::string& path() const { return path_; }
  /// Bytes of the file that were read, and all.
  std::uint64_t bytes_read() const;
  std::uint64_t bytes() const;

  /// Calls `line` for each line, and `problem` for each that is none. False from `line` ends it.
  /// Error Protocol: the packed file is damaged or cut short; System: it cannot be read.
  Result<void> read(const std::function<bool(const Line&)>& line,
                    const std::function<void(const std::string&)>& problem);

 private:
  struct Input;
  OeisList(std::string path, std::unique_ptr<Input> input);
  Result<void> look();
  const std::string path_;
  std::unique_ptr<Input> input_;
  Holds holds_ = Holds::Names;
};

}  // namespace gatescope::api

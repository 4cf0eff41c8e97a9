#pragma once

// What belongs to one version of a cached file and is made from it: heads as text, compressed
// forms. All of it is for any thread.

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "proxy/http/encoding.h"
#include "proxy/http/prebuilt_head.h"

namespace gatescope::files {

struct FileVersion;

/// A few heads, found without a lock: locations differ in types, Vary or Cache-Control.
class PrebuiltHeads {
 public:
  static constexpr unsigned kMax = 4;

  PrebuiltHeads() = default;
  PrebuiltHeads(const PrebuiltHeads&) = delete;
  PrebuiltHeads& operator=(const PrebuiltHeads&) = delete;
  ~PrebuiltHeads();
  /// The one that says what `wanted` says; made when there is none. Null: there are kMax others.
  const http::PrebuiltHead* get(const http::ResponseHead& wanted);

 private:
  struct Node {
    explicit Node(const http::ResponseHead& head) : prebuilt(head) {}
    http::PrebuiltHead prebuilt;
    Node* next = nullptr;
  };
  std::atomic<Node*> first_{nullptr};
  std::atomic<unsigned> count_{0};
};

/// The compressed forms of one version, one per coding and level; each is made once.
class FileVariants {
 public:
  static constexpr std::size_t kMax = 4;
  enum class State {
    Absent,  // begin() says who makes it
    Making,  // somebody does
    Ready,
    Useless,  // it would be no smaller, or cannot be made, or there are kMax others
  };
  struct Answer {
    State state = State::Absent;
    std::shared_ptr<const FileVersion> version;  // when Ready
  };
  Answer find(const http::EncoderOptions& options) const;
  /// True: the caller makes it, and says finish() or give_up(). False: find() knows more by now.
  bool begin(const http::EncoderOptions& options);
  /// Null: Useless.
  void finish(const http::EncoderOptions& options, std::shared_ptr<const FileVersion> version);
  /// It was not tried.
  void give_up(const http::EncoderOptions& options);
  /// What the ready ones hold.
  std::size_t bytes() const { return bytes_.load(); }

 private:
  struct Slot {
    http::Coding coding;
    int level;
    State state;
    std::shared_ptr<const FileVersion> version;
  };
  Slot* slot_of(const http::EncoderOptions& options) const;

  mutable std::mutex mutex_;
  mutable std::vector<Slot> slots_;
  std::atomic<std::size_t> bytes_{0};
};

/// The compressed form, with a strong entity tag of its own: its bytes are in it, since another
/// version of the library may make others. Null: no smaller than the plain one. Takes a moment.
std::shared_ptr<const FileVersion> make_variant(const FileVersion& plain,
                                                const http::EncoderOptions& options);

}  // namespace gatescope::files

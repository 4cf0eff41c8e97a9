#pragma once

#include <string>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"
#include "proxy/net/socket_source.h"

namespace gatescope::server {

/// The environment variable by which a program that was started by an older one (USR2) knows what
/// it inherits: "CHANNEL;HANDOVER;FD:LOOP;FD:LOOP..." in descriptor numbers, HANDOVER -1 without.
inline constexpr const char* kInheritedVariable = "GATESCOPE_INHERITED";

/// What a program inherits from the one that started it. Taken by main, before anything else.
struct Inheritance {
  /// The variable is gone from the environment afterwards: our children inherit nothing. Error: it
  /// is none of ours, or names what is no open descriptor.
  static Result<Inheritance> take();

  UniqueFd channel;   // to the older program; none: nothing is inherited
  UniqueFd handover;  // a file without name, what Server::hand_over() wrote; none: nothing
  struct Socket {
    UniqueFd fd;
    unsigned loop = 0;
  };
  std::vector<Socket> sockets;

  bool any() const { return static_cast<bool>(channel); }
};

/// All of a file without name, from its beginning; at most kMostHandover bytes.
Result<std::string> read_handover(int fd);
Result<UniqueFd> write_handover(std::string_view text);
inline constexpr std::size_t kMostHandover = 12u << 20;

/// The older program, as the one sees it that it started: both serve until one of them ends. Owned
/// by Keeper, or by the process without one.
///   Alive -> Gone
class Predecessor {
 public:
  Predecessor() = default;  // there is none: Gone
  explicit Predecessor(UniqueFd channel);
  bool alive() const { return static_cast<bool>(channel_); }
  int pid() const { return pid_; }
  /// Readable when it has ended, see look(); -1: it has.
  int descriptor() const { return channel_.get(); }
  /// Every socket listens here.
  void tell_serving();
  /// True once, when it has ended.
  bool look();

 private:
  UniqueFd channel_;
  int pid_ = 0;
};

}  // namespace gatescope::server

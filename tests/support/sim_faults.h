#pragma once

#include <chrono>
#include <cstddef>

namespace gatescope::test {

using Micros = std::chrono::microseconds;
struct SimSpan {
  Micros min{0}, max{0};
};
struct SimSizes {
  std::size_t min = 0, max = 0;
};

/// What goes wrong between two ends, and how often. Probabilities are 0 to 1. The first group is
/// harmless: a correct program only gets slower by it.
struct SimFaults {
  // Harmless: each delivery ...
  SimSpan latency{Micros{200}, Micros{200}};
  double fragment = 0;  // ... comes in random pieces
  double stall = 0;     // ... is late by stall_for, and all that follows
  SimSpan stall_for{Micros{1000}, Micros{500'000}};
  // ... each direction of a connection ...
  double bytewise = 0;                // ... comes byte by byte, its first bytewise_limit bytes
  std::size_t bytewise_limit = 2000;  // a longer run costs events and shows nothing new
  double slow_reader = 0;             // ... has a small window
  SimSizes slow_window{200, 4000};
  SimSizes window{65'536, 212'992};  // what both sockets hold otherwise
  // ... and the loops:
  SimSpan timer_late{};  // timers fire later than asked
  SimSpan post_after{};
  SimSpan work_time{Micros{100}, Micros{100}};  // of a job on a lane

  // A turn begins late by busy_for and finds all that came meanwhile: several events in one turn.
  double busy = 0;
  SimSpan busy_for{Micros{1}, Micros{5000}};

  // Harmful, drawn once per connection:
  double refuse = 0;     // connect fails
  double no_answer = 0;  // connect is never answered
  double cut = 0;        // both ends are reset, after bytes in one direction or after a time
  SimSizes cut_bytes{0, 20'000};
  SimSpan cut_time{Micros{0}, Micros{2'000'000}};
  double stall_for_ever = 0;  // per direction: nothing arrives after stall_bytes
  SimSizes stall_bytes{0, 20'000};
  double half_close_by_client = 0;  // the connecting end's direction ends in FIN after end_bytes
  double half_close_by_server = 0;  // the same for the accepting end: a shortened answer
  SimSizes end_bytes{0, 20'000};
  double reset_drops_unread =
      0.5;  // RST throws away what had come but was not read (BSD does, Linux does not)
};

}  // namespace gatescope::test

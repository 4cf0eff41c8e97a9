#pragma once

#include <string>
#include <vector>

#include "tests/unit/server/backend_fixture.h"
#include "tests/unit/server/site_fixture.h"

namespace gatescope::test {

/// Raw bytes that a client sends, and what must come of them.
struct Hostile {
  std::string name, raw;
  /// The statuses of all answers until the server closes: "400", "200 200", "100 200". Others that
  /// the RFC allows too behind a bar: "400|404".
  std::string statuses;
  /// Requests that reach the backend. -1: none whole; one in part where bodies stream.
  int forwarded = 0;
  /// What the answers, and what the backend got, must not hold.
  std::string never = {};
};

/// "200 404": the answers one after the other; "(bad)" where what comes is no HTTP.
std::string statuses_of(std::string_view answers);

/// The first way of reading that finds another number of requests in what a backend got on each of
/// its connections than RFC 9112 does; empty: there is none.
std::string misread(const std::vector<std::string>& received);

/// Each row whole and byte by byte, with bodies that are kept and with bodies that stream; and
/// every way of misreading finds as many requests in what the backend got as were sent to it.
/// `http`: the http block; "$buffering" in it is replaced by on and off.
void check_hostile(const std::string& http, const std::vector<Hostile>& rows);

/// The same of raw bytes whose statuses nobody asks for: what passes is read in one way only, and
/// the backend gets no more requests than the client gets answers. Returns how many of them passed.
std::size_t check_unambiguous(const std::string& http, const std::vector<std::string>& raws);

}  // namespace gatescope::test

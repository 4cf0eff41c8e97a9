#include "tests/unit/server/hostile_fixture.h"

#include "proxy/base/text.h"
#include "tests/support/catch.h"

namespace gatescope::test {
namespace {

bool is_one_of(std::string_view found, std::string_view expected) {
  while (true) {
    const auto bar = expected.find('|');
    if (found == expected.substr(0, bar)) return true;
    if (bar == std::string_view::npos) return false;
    expected.remove_prefix(bar + 1);
  }
}

int requests_in(const std::vector<std::string>& received) {
  int sum = 0;
  for (const auto& bytes : received)
    sum += count_requests(bytes, {});
  return sum;
}

}  // namespace

std::string misread(const std::vector<std::string>& received) {
  static const auto kAll = all_leniencies();
  for (const auto& bytes : received) {
    const int strict = count_requests(bytes, {});
    if (strict < 0) return "the strict reader refuses: " + bytes;
    for (std::size_t i = 0; i < kAll.size(); ++i) {
      const int found = count_requests(bytes, kAll[i]);
      if (found >= 0 && found != strict)
        return "reader " + std::to_string(i) + " finds " + std::to_string(found) + ", not " +
               std::to_string(strict) + ": " + bytes;
    }
  }
  return "";
}

std::string statuses_of(std::string_view answers) {
  std::string all;
  while (!answers.empty()) {
    const auto end = answers.find("\r\n\r\n");
    if (!answers.starts_with("HTTP/1.1 ") || end == std::string_view::npos)
      return all + (all.empty() ? "(bad)" : " (bad)");
    const auto status = std::string(answers.substr(9, 3));
    all += (all.empty() ? "" : " ") + status;
    const auto length = parse_unsigned(field_of_answer(std::string(answers), "Content-Length"));
    answers.remove_prefix(end + 4);
    answers.remove_prefix(std::min<std::size_t>(answers.size(), length.value_or(0)));
  }
  return all;
}

void check_hostile(const std::string& http, const std::vector<Hostile>& rows) {
  for (const std::string buffering : {"on", "off"}) {
    std::string text = http;
    for (std::size_t at; (at = text.find("$buffering")) != std::string::npos;)
      text.replace(at, 10, buffering);
    Site site(text);
    REQUIRE(site.load_error() == "");
    Backend backend(site.loop(), 9000);
    site.write("secret.txt", "SECRET");
    site.write("html/index.html", "index");
    site.write("html/a/file.txt", "0123456789");
    site.write("html/.hidden", "SECRET");
    for (const auto& row : rows)
      for (const bool bytewise : {false, true}) {
        INFO(row.name << ", " << (bytewise ? "byte by byte" : "whole") << ", buffering "
                      << buffering);
        backend.clear();
        const auto answer = bytewise ? site.ask_bytewise(row.raw) : site.ask(row.raw);
        site.run_for(Duration(200));  // what is on its way to the backend
        const auto found = statuses_of(answer);
        if (!is_one_of(found, row.statuses)) CHECK(found == row.statuses);
        const int arrived = requests_in(backend.received());
        // -1: one that is broken off; with a body that streams its beginning has gone already
        if (row.forwarded != -1) {
          CHECK(arrived == row.forwarded);
        } else {
          CHECK(backend.requests() == 0);
          CHECK(arrived <= (buffering == "off" ? 1 : 0));
        }
        CHECK(misread(backend.received()) == "");
        if (row.never.empty()) continue;
        CHECK(answer.find(row.never) == std::string::npos);
        for (const auto& bytes : backend.received())
          CHECK(bytes.find(row.never) == std::string::npos);
      }
  }
}

std::size_t check_unambiguous(const std::string& http, const std::vector<std::string>& raws) {
  Site site(http);
  REQUIRE(site.load_error() == "");
  Backend backend(site.loop(), 9000);
  std::size_t passed = 0;
  for (const auto& raw : raws) {
    backend.clear();
    const auto answer = site.ask(raw);
    site.run_for(Duration(50));
    const auto statuses = statuses_of(answer);
    const auto answers = (statuses.size() + 1) / 4;
    const auto arrived = static_cast<std::size_t>(requests_in(backend.received()));
    const auto misreading = misread(backend.received());
    if (misreading.empty() && arrived <= answers) {
      passed += arrived > 0 ? 1 : 0;
      continue;
    }
    INFO(raw << "\nanswered: " << statuses << ", arrived: " << arrived);
    CHECK(misreading == "");
    CHECK(arrived <= answers);
  }
  return passed;
}

}  // namespace gatescope::test

#pragma once

#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "api/factoring.h"

namespace gatescope::api {

/// Answers when told.
struct FakeFactoring final : LocalFactoring {
  struct Asked : Request {
    Asked(FakeFactoring& f, Job j, std::size_t n, Duration w, Done d)
        : factoring(f), job(std::move(j)), count(n), within(w), done(std::move(d)) {
      factoring.asked.push_back(this);
    }
    ~Asked() override { std::erase(factoring.asked, this); }
    void answer(std::initializer_list<const char*> factors) {
      std::erase(factoring.asked, this);
      const auto tell = std::move(done);
      tell(std::make_shared<const Terms>(listed(factors)));
    }
    FakeFactoring& factoring;
    const Job job;
    const std::size_t count;
    const Duration within;
    Done done;
  };
  static Terms listed(std::initializer_list<const char*> list) {
    Terms terms;
    for (const char* term : list)
      terms.add(term);
    return terms;
  }
  std::vector<Asked*> asked;
  int requests = 0;
  std::unique_ptr<Request> factor(Job job, std::size_t count, Duration within, Done done) override {
    ++requests;
    return std::make_unique<Asked>(*this, std::move(job), count, within, std::move(done));
  }
  void factor_in_background(Job) override { ++background; }
  bool works_on(SequenceId) const override { return works; }
  int background = 0;
  bool works = true;
};

}  // namespace gatescope::api

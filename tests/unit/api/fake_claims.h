#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "api/claims.h"

namespace gatescope::api {

/// Grants claims when told.
struct FakeClaims final : Claims {
  struct Held : Claim {
    explicit Held(int& count) : held(count) { ++held; }
    ~Held() override { --held; }
    int& held;
  };
  struct Asked : SequenceStore::Job {
    Asked(FakeClaims& c, Kind k, Done d) : claims(c), kind(k), done(std::move(d)) {
      claims.asked.push_back(this);
    }
    ~Asked() override { std::erase(claims.asked, this); }
    void answer(Result<std::unique_ptr<Claim>> with) {
      std::erase(claims.asked, this);
      const auto tell = std::move(done);
      tell(std::move(with));
    }
    FakeClaims& claims;
    const Kind kind;
    Done done;
  };
  std::vector<Asked*> asked;
  int held = 0;
  std::unique_ptr<SequenceStore::Job> claim(SequenceId, Kind kind, Done done) override {
    return std::make_unique<Asked>(*this, kind, std::move(done));
  }
};

}  // namespace gatescope::api

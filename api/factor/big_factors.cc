#include "api/factor/big_factors.h"

#include <pari/pari.h>

namespace gatescope::factor {

namespace {

constexpr unsigned long kPrimeTable = 500'000;

// longjmp comes back here and skips destructors, so there are none in between.
GEN factors_or_null(const char* digits, char** error) {
  GEN volatile factors = nullptr;
  pari_CATCH(CATCH_ALL) {
    *error = pari_err2str(pari_err_last());
  }
  pari_TRY {
    factors = absZ_factor(strtoi(digits));
  }
  pari_ENDCATCH;
  return factors;
}

}  // namespace

void start_pari() {
  // No signal handlers, and no jump out of errors but to those who catch them.
  pari_init_opts(kFirstStack, kPrimeTable, INIT_DFTm);
  paristack_setsize(kFirstStack, kMostStack);
}

std::vector<PrimePower> factor_big(const std::string& digits, std::string& error) {
  const pari_sp before = avma;
  std::vector<PrimePower> powers;
  char* message = nullptr;
  const GEN factors = factors_or_null(digits.c_str(), &message);
  if (factors == nullptr) {
    error = message != nullptr ? message : "PARI failed";
    pari_free(message);
  } else {
    const GEN primes = gel(factors, 1);
    for (long i = 1; i < lg(primes); ++i) {
      char* prime = GENtostr(gel(primes, i));
      powers.push_back({prime, itou(gcoeff(factors, i, 2))});
      pari_free(prime);
    }
  }
  set_avma(before);
  parivstack_reset();  // what a large one needed goes back to the system
  return powers;
}

}  // namespace gatescope::factor

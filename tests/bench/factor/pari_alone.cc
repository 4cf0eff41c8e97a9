#include "tests/bench/factor/pari_alone.h"

#include <pari/pari.h>

namespace gatescope::bench {

void factor_fibonacci(int count) {
  pari_init_opts(8 << 20, 500'000, INIT_DFTm);
  paristack_setsize(8 << 20, 128 << 20);
  for (int n = 1; n <= count; ++n) {
    const pari_sp before = avma;
    pari_free(GENtostr(absZ_factor(fibo(n))));
    set_avma(before);
  }
}

}  // namespace gatescope::bench

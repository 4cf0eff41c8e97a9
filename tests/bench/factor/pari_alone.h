#pragma once

namespace gatescope::bench {

/// Factors the Fibonacci numbers F(1)..F(count) with PARI in this process.
void factor_fibonacci(int count);

}  // namespace gatescope::bench

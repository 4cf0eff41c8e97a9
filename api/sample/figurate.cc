// Numbers of dots in a figure: polynomials in n.

#include "api/sample/families.h"

namespace gatescope::api::sample {

namespace {

const SampleSequence kFigurateRows[] = {
    {27, 1, "core,nonn,easy,mult,tabl", "The counting numbers 1, 2, 3 and so on.",
     "Cf. A000040 and A002808 (split by being prime), A000217 (partial sums).",
     values<1, [](long n) { return n; }>},
    {217, 0, "nonn,core,easy,nice",
     "Triangular numbers: dots in a triangle with n dots on each side.",
     "Cf. A000290 (square instead of triangle), A000292 (partial sums), A000326, A000384.",
     values<0, [](long n) { return n * (n + 1) / 2; }>},
    {290, 0, "nonn,core,easy,nice,mult", "Square numbers: n multiplied by itself.",
     "Cf. A000217 (neighbours there add up to a square), A000330 (partial sums), A000578.",
     values<0, [](long n) { return n * n; }>},
    {292, 0, "nonn,core,easy,nice",
     "Tetrahedral numbers: balls in a pyramid of n triangular layers.",
     "Cf. A000217 (one layer), A000330 (square layers), A007318 (a diagonal of that triangle).",
     values<0, [](long n) { return n * (n + 1) * (n + 2) / 6; }>},
    {326, 0, "core,nonn,easy,nice", "Pentagonal numbers: dots in nested pentagons, n to a side.",
     "Cf. A000041 (Euler's recurrence uses these), A000217, A000290, A000384.",
     values<0, [](long n) { return n * (3 * n - 1) / 2; }>},
    {330, 0, "nonn,easy,core,nice",
     "Square pyramidal numbers: cannonballs stacked in n square layers.",
     "Cf. A000290 (one layer), A000292 (triangular layers).",
     values<0, [](long n) { return n * (n + 1) * (2 * n + 1) / 6; }>},
    {384, 0, "nonn,easy,nice", "Hexagonal numbers: dots in nested hexagons, n to a side.",
     "Cf. A000217 (every second one of those), A000290, A000326.",
     values<0, [](long n) { return n * (2 * n - 1); }>},
    {578, 0, "nonn,core,easy,nice,mult", "Cube numbers: the third power of n.",
     "Cf. A000217 (the first n cubes add up to the square of a triangular number), A000290.",
     values<0, [](long n) { return n * n * n; }>},
};

}  // namespace

std::span<const SampleSequence> figurate_sequences() {
  return kFigurateRows;
}

}  // namespace gatescope::api::sample

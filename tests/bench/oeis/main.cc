// Makes a tree of entries to measure `gatescope oeis import` with: bench_tree FOLDER COUNT.

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/bench/oeis/make_tree.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: bench_tree FOLDER COUNT\n", stderr);
    return 2;
  }
  return gatescope::bench::make_tree(
      argv[1], static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10)));
}

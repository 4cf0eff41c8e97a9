// How many ways there are: permutations, subsets, paths, partitions.

#include <utility>

#include "api/sample/families.h"

namespace gatescope::api::sample {

namespace {

/// a(0) = 1, and a(n) = Step(a(n-1), n). Step names its return type: gmpxx's expressions refer to
/// their operands and must not outlive them.
template <auto Step>
SampleTerms chain(std::size_t count) {
  SampleTerms terms;
  terms.reserve(count);
  for (long n = 0; terms.size() < count; ++n)
    terms.push_back(n == 0 ? mpz_class(1) : Step(terms.back(), n));
  return terms;
}

/// Euler: p(n) is the sum over k = 1, 2, ... of p(n - k(3k-1)/2) + p(n - k(3k+1)/2), the sign
/// changing with k.
SampleTerms partitions(std::size_t count) {
  SampleTerms terms;
  terms.reserve(count);
  for (std::size_t n = 0; n < count; ++n) {
    mpz_class sum = n == 0 ? 1 : 0;
    for (std::size_t k = 1; k * (3 * k - 1) / 2 <= n; ++k) {
      mpz_class pair = terms[n - k * (3 * k - 1) / 2];
      if (k * (3 * k + 1) / 2 <= n) pair += terms[n - k * (3 * k + 1) / 2];
      if (k % 2 == 1) {
        sum += pair;
      } else {
        sum -= pair;
      }
    }
    terms.push_back(std::move(sum));
  }
  return terms;
}

/// Aitken's array: a row begins with the end of the one above; each entry is its left neighbour
/// plus the one above that.
SampleTerms bell(std::size_t count) {
  SampleTerms terms;
  terms.reserve(count);
  SampleTerms row{1};
  while (terms.size() < count) {
    terms.push_back(row.front());
    SampleTerms next{row.back()};
    next.reserve(row.size() + 1);
    for (const mpz_class& above : row)
      next.emplace_back(next.back() + above);
    row = std::move(next);
  }
  return terms;
}

/// Seidel: run through the row above from its end, adding up; the row's last entry is the term.
SampleTerms zigzag(std::size_t count) {
  SampleTerms terms;
  terms.reserve(count);
  SampleTerms row{1};
  while (terms.size() < count) {
    terms.push_back(row.back());
    SampleTerms next{0};
    next.reserve(row.size() + 1);
    for (auto above = row.rbegin(); above != row.rend(); ++above)
      next.emplace_back(next.back() + *above);
    row = std::move(next);
  }
  return terms;
}

SampleTerms motzkin(std::size_t count) {
  SampleTerms terms{1, 1};
  terms.reserve(count + 2);
  for (long n = 2; terms.size() < count; ++n) {
    const mpz_class& last = terms.back();
    const mpz_class& before = terms[terms.size() - 2];
    terms.emplace_back((last * (2 * n + 1) + before * (3 * n - 3)) / (n + 2));
  }
  terms.resize(count);
  return terms;
}

SampleTerms pascal(std::size_t count) {
  SampleTerms terms;
  terms.reserve(count);
  for (unsigned long n = 0; terms.size() < count; ++n) {
    mpz_class entry = 1;
    for (unsigned long k = 0; k <= n && terms.size() < count; ++k) {
      terms.push_back(entry);
      entry = entry * (n - k) / (k + 1);
    }
  }
  return terms;
}

const SampleSequence kCountingRows[] = {
    {41, 0, "core,easy,nonn,nice",
     "Partition numbers: ways to write n as a sum when the order of the parts is ignored.",
     "Cf. A000326 (the steps of Euler's recurrence), A000110 (partitions of a set).", partitions},
    {108, 0, "core,nonn,easy,eigen,nice",
     "Catalan numbers: ways to nest n pairs of brackets correctly.",
     "Cf. A000984 (divided by n+1), A001006.",
     chain<[](const mpz_class& a, long n) -> mpz_class { return a * (4 * n - 2) / (n + 1); }>},
    {110, 0, "core,nonn,easy,nice", "Bell numbers: ways to sort n different things into heaps.",
     "Cf. A000041 (things that look alike), A000142.", bell},
    {111, 0, "nonn,core,eigen,nice,easy",
     "Zigzag numbers of Euler: orders of n things that go up and down in turn.",
     "Cf. A000142 (all orders), A000166.", zigzag},
    {142, 0, "core,easy,nonn,nice", "Factorials: the number of orders of n things.",
     "Cf. A000110, A000111 and A000166 (some of these orders), A001113.",
     chain<[](const mpz_class& a, long n) -> mpz_class { return a * n; }>},
    {166, 0, "core,nonn,easy,nice",
     "Derangements: orders of n things in which nothing stays in its place.",
     "Cf. A000142 (about e = A001113 times as many).",
     chain<[](const mpz_class& a, long n) -> mpz_class { return a * n + (n % 2 == 0 ? 1 : -1); }>},
    {984, 0, "nonn,easy,core,nice,walk",
     "Central binomial coefficients: ways to choose half of 2n things.",
     "Cf. A007318 (its middle column), A000108.",
     chain<[](const mpz_class& a, long n) -> mpz_class { return a * (4 * n - 2) / n; }>},
    {1006, 0, "nonn,core,easy,nice",
     "Motzkin numbers: handshakes of n people around a table, any of them, without crossing arms.",
     "Cf. A000108 (everybody shakes hands).", motzkin},
    {7318, 0, "nonn,tabl,nice,easy,core,look,hear",
     "Pascal's triangle by rows: ways to choose k of n things.",
     "Cf. A000984 (middle column), A000079 (row sums), A000217, A000292, A000045.", pascal},
};

}  // namespace

std::span<const SampleSequence> counting_sequences() {
  return kCountingRows;
}

}  // namespace gatescope::api::sample

// Factors as the server gives them once its factoring runs, over the sequences of oeis.mjs. With these the
// page is what is checked; without them, the same checks hold for page and server together.

import { SEQUENCES } from './oeis.mjs';

/** In the place of the server's, for all pages of `context`. */
export const cannedFactors = (context) => context.route('**/api/get_oeis_factors/*/*', (route) => answer(route, (count, id) => {
  const { name, first, terms } = named(id);
  const some = terms.slice(0, Number(count) || terms.length);
  return { factors: Object.fromEntries(some.map((term, i) => [first + i, factors(BigInt(term))])), id, name };
}));

/** `make` gets the parts of the path, the last one first. */
function answer(route, make) {
  const parts = new URL(route.request().url()).pathname.split('/').map(decodeURIComponent).reverse();
  return route.fulfill({ contentType: 'application/json', body: JSON.stringify(make(...parts)) });
}

const named = (wanted) => SEQUENCES.find(({ id }) => id === wanted);

/** By small divisors alone: what is left over is taken for a prime, which is good enough for a picture. */
function factors(value) {
  if (value === 0n) return '[0, 1]';
  const parts = [];
  for (let divisor = 2n; divisor < 1000n && value > 1n; divisor += 1n) {
    let exponent = 0;
    for (; value % divisor === 0n; value /= divisor) exponent += 1;
    if (exponent > 0) parts.push(`${divisor},${exponent}`);
  }
  if (value > 1n) parts.push(`${value},1`);
  return `[${parts.join(';')}]`;
}

// A tiny OEIS of three sequences, so that no test depends on oeis.org or on a clone of its data:
// the primes have a b-file, the others only an entry, and every other number is unknown.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const TERMS = 600;

/** Starts a stand-in for oeis.org. @returns {{url, stop()}} */
export async function startOeis() {
  const bFile = primes().map((prime, i) => `${i + 1} ${prime}\n`).join('');
  const server = http.createServer((request, response) => {
    const known = request.url === '/A000040/b000040.txt';
    response.writeHead(known ? 200 : 404, { 'Content-Type': known ? 'text/plain' : 'text/html' });
    response.end(known ? bFile : '<h1>Not found</h1>');
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

/** Writes the entries in OEIS internal format below `directory`, laid out as in a clone of oeis/oeisdata. */
export function writeOeisData(directory) {
  for (const each of SEQUENCES) writeEntry(directory, each);
}

function writeEntry(directory, { id, name, first, terms, references }) {
  const third = Math.ceil(terms.length / 3);
  const part = (i) => terms.slice(i * third, (i + 1) * third).join(',');
  const folder = path.join(directory, 'seq', id.slice(0, 4));
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `${id}.seq`), [
    `%I ${id} #1 Jan 01 2026 00:00:00`, `%S ${id} ${part(0)},`, `%T ${id} ${part(1)},`, `%U ${id} ${part(2)}`,
    `%N ${id} ${name}`, `%Y ${id} ${references}`, `%K ${id} nonn,core`, `%O ${id} ${first},4`, '',
  ].join('\n'));
}

function primes() {
  const found = [];
  for (let n = 2; found.length < TERMS; n += 1) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return found;
}

function fibonacci(count, first = 0n, second = 1n) {
  const terms = [first, second];
  while (terms.length < count) terms.push(terms.at(-1) + terms.at(-2));
  return terms;
}

/** What the entries say. */
export const SEQUENCES = [
  { id: 'A000032', name: 'Lucas numbers: start from 2 and 1, then always add the last two.', first: 0, terms: fibonacci(60, 2n, 1n), references: 'Cf. A000045.' },
  { id: 'A000040', name: 'The prime numbers.', first: 1, terms: primes().slice(0, 60), references: 'Cf. A000045.' },
  { id: 'A000045', name: 'Fibonacci numbers: F(n) = F(n-1) + F(n-2) with F(0) = 0 and F(1) = 1.', first: 0, terms: fibonacci(80), references: 'Cf. A000032 (same rule), A000040.' },
];

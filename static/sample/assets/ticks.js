// Axes: where a value lies between the ends (0 to 1), and which round values get a label.

import { absolute, log10, powerOfTen, shortLabel } from './sequence.js';

/** An axis of the terms. `position` maps a BigInt to 0..1; ticks are {at: 0..1, label}. */
export function valueAxis(terms, scale) {
  let [low, high] = [terms[0].value, terms[0].value];
  for (const { value } of terms) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return scale === 'log' ? logAxis(low, high) : linearAxis(low, high);
}

function linearAxis(low, high) {
  // Zero belongs to a linear picture: without it growth looks steeper than it is.
  if (low > 0n) low = 0n;
  if (high < 0n) high = 0n;
  if (low === high) high = low + 1n;
  const span = high - low;
  // The quotient is taken in whole numbers: both sides may be beyond what a Number can hold.
  const position = (value) => Number(((value - low) * 1_000_000n) / span) / 1_000_000;
  const step = roundStep(span);
  const ticks = [];
  for (let value = (low / step) * step; value <= high; value += step) {
    if (value >= low) ticks.push({ at: position(value), label: shortLabel(value) });
  }
  return { position, ticks };
}

/** The least of 1, 2, 5 times a power of ten that divides the span into at most seven steps. */
function roundStep(span) {
  const raw = (span + 6n) / 7n;
  const power = 10n ** BigInt(raw.toString().length - 1);
  return [1n, 2n, 5n, 10n].map((factor) => factor * power).find((step) => step >= raw);
}

function logAxis(low, high) {
  // A logarithm has no place for 0 and below; log10(1 + |v|) with v's sign does, and differs little.
  const positive = low >= 1n;
  const lift = positive ? log10 : (value) => {
    const size = log10(absolute(value) + 1n);
    return value < 0n ? -size : size;
  };
  const bottom = positive ? Math.floor(lift(low)) : Math.min(lift(low), 0);
  const top = Math.max(lift(high), positive ? bottom + 1 : (low < 0n ? 0 : lift(1n)));
  const position = (value) => (lift(value) - bottom) / (top - bottom);

  const ticks = [];
  const add = (value, label) => {
    const at = position(value);
    if (at >= -0.001 && at <= 1.001) ticks.push({ at, label });
  };
  const decades = Math.ceil(Math.max(top, -bottom));
  const step = Number(roundStep(BigInt(Math.max(1, Math.ceil(top - bottom)))));
  if (!positive) add(0n, '0');
  for (let exponent = positive ? Math.ceil(bottom / step) * step : 0; exponent <= decades; exponent += step) {
    // 1 lies so close to 0 on the lifted axis that the labels touch as soon as there are a few decades.
    if (!positive && exponent === 0 && top - bottom > 4) continue;
    const value = 10n ** BigInt(exponent);
    const label = exponent < 4 ? value.toLocaleString('en-US') : powerOfTen(exponent);
    add(value, label);
    if (bottom < 0) add(-value, `−${label}`);
    if (top - bottom <= 2) for (const factor of [2n, 5n]) add(value * factor, shortLabel(value * factor));
  }
  return { position, ticks };
}

/** An axis of the indices, which are plain Numbers. */
export function indexAxis(first, last, steps) {
  const span = Math.max(1, last - first);
  const raw = span / Math.max(1, steps);
  const power = 10 ** Math.floor(Math.log10(Math.max(1, raw)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw) ?? 1;
  const ticks = [];
  for (let index = Math.ceil(first / step) * step; index <= last; index += step) {
    ticks.push({ at: (index - first) / span, label: String(index).replace('-', '−') });
  }
  return { position: (index) => (index - first) / span, ticks };
}

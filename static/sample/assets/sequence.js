// What a sequence is on this page, and arithmetic for terms that are far too large for a Number.

/**
 * The API's answer as {id, name, terms: [{index, value, text}]}, in order of index. JSON.parse moves
 * keys such as "-1" behind all others, so the order of the text is lost and has to be made again.
 */
export function parseSequence({ id, name, values }) {
  const terms = Object.entries(values).map(([key, text]) => ({ index: Number(key), value: BigInt(text), text }));
  terms.sort((a, b) => a.index - b.index);
  return { id, name, terms };
}

/** "45", "a45" and " A000045 " all mean A000045; anything else is null. */
export function normalizeId(text) {
  const match = /^\s*A?0*(\d{1,6})\s*$/i.exec(text ?? '');
  return match ? `A${match[1].padStart(6, '0')}` : null;
}

export const absolute = (value) => (value < 0n ? -value : value);
export const digitCount = (value) => absolute(value).toString().length;

/** log10 of a positive BigInt. Number(value) would be Infinity from 309 digits on, so count digits. */
export function log10(value) {
  const text = value.toString();
  const lead = 15;
  return text.length <= lead ? Math.log10(Number(value)) : Math.log10(Number(text.slice(0, lead))) + text.length - lead;
}

export const residue = (value, modulus) => Number(((value % modulus) + modulus) % modulus);

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';
export const powerOfTen = (exponent) => `10${[...String(exponent)].map((digit) => SUPERSCRIPTS[digit]).join('')}`;

/** A short label for a round number: 2,500 or 3×10⁴¹. */
export function shortLabel(value) {
  const text = absolute(value).toString();
  const sign = value < 0n ? '−' : '';
  if (text.length <= 6) return sign + absolute(value).toLocaleString('en-US');
  const mantissa = text.slice(0, 3).replace(/^(\d)(\d*?)0*$/, (_, first, rest) => (rest ? `${first}.${rest}` : first));
  return `${sign}${mantissa === '1' ? '' : `${mantissa}×`}${powerOfTen(text.length - 1)}`;
}

/** The middle of a long number left out, for places where only its shape matters. */
export function elide(text, head = 18, tail = 6) {
  return text.length <= head + tail + 8 ? text : `${text.slice(0, head)} … ${text.slice(-tail)}`;
}

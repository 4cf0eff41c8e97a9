// Prime factors as the API writes them, and as people do.

import { element } from './dom.js';
import { elide } from './sequence.js';

/**
 * "[2,3;3,1;-1,1]" and "[-1, 1; 2, 65]" as {kind: 'product', parts: [[base, exponent], ...]} with the
 * sign first; 'later' is still being worked on, and 'never' is too large for the server to begin with.
 */
export function parseFactors(text) {
  if (text === 'no_fac_yet') return { kind: 'later' };
  const inside = /^\[(.*)\]$/.exec(text);
  if (!inside) return { kind: 'never' };
  const parts = inside[1].split(';').filter((part) => part.trim()).map((part) => part.split(',').map((number) => number.trim()));
  // Small numbers have their sign last, large ones first; between the others the order is the same.
  parts.sort(([a], [b]) => Number(b === '-1') - Number(a === '-1'));
  return { kind: 'product', parts };
}

/** What stands in a table's cell for it, as a list of nodes and texts. */
export function showFactors({ kind, parts }) {
  if (kind === 'later') return [element('span', { class: 'later' }, 'not yet')];
  if (kind === 'never') return [element('span', { class: 'later' }, 'too large')];
  if (parts.length === 0) return ['1'];
  if (parts.length === 1 && parts[0][1] === '1' && !['0', '-1'].includes(parts[0][0])) {
    return [element('span', { class: 'prime' }, 'prime')];
  }
  return parts.flatMap(([base, exponent], i) => [
    ...(i > 0 ? ['\u00a0· '] : []),  // a line may end after the dot, not before it
    elide(base.replace('-', '−')),
    ...(exponent === '1' ? [] : [element('sup', {}, exponent)]),
  ]);
}

// The first terms in a table, and beside each its prime factors as soon as they are known.

import { askFactors } from './api.js';
import { element, grouped } from './dom.js';
import { showFactors } from './factors.js';
import { Panel } from './panel.js';
import { elide } from './sequence.js';

const ROWS = 128;

/** @returns {{open(sequence), close()}} */
export function termsPanel(root) {
  const rows = root.querySelector('tbody');
  const title = root.querySelector('h2');
  const cells = new Map();  // from the index to the cell of its factors

  const panel = new Panel(root,
    ({ id, terms }, signal) => askFactors(id, Math.min(ROWS, terms.length), signal),
    (factors) => {
      let later = 0;
      for (const [index, cell] of cells) {
        const known = factors.get(index) ?? { kind: 'later' };
        if (known.kind === 'later') later += 1;
        cell.replaceChildren(...showFactors(known));
        cell.dataset.kind = known.kind;
      }
      return later === 0 ? '' : `${later === 1 ? 'One is' : `${grouped(later)} are`} not factored yet; the server goes on.`;
    });

  return {
    close: () => panel.close(),
    open(sequence) {
      cells.clear();
      const { terms } = sequence;
      rows.replaceChildren(...terms.slice(0, ROWS).map(({ index, text }) => {
        const factors = element('td', { class: 'factors' });
        cells.set(index, factors);
        return element('tr', {}, element('th', { scope: 'row' }, String(index)), element('td', {}, ...shortened(text)), factors);
      }));
      title.textContent = terms.length > ROWS ? `First ${ROWS} terms` : 'All terms';
      panel.open(sequence, 'Factoring …');
    },
  };
}

function shortened(text) {
  const short = elide(text);
  return [short === text ? text : element('span', { title: text }, short)];
}

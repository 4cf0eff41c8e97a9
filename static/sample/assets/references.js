// Where one can go from here: the sequences that the entry names, and those that name it.

import { askReferences } from './api.js';
import { element, grouped, sequenceLink } from './dom.js';
import { Panel } from './panel.js';

// The primes are mentioned by thousands: more than these only for who asks.
const FIRST_BACKREFS = 24;

/** @returns {{open(sequence), close()}} */
export function referencesPanel(root) {
  const [text, count, list, all] = ['.xrefs', '.count', '.backrefs', '.all'].map((part) => root.querySelector(part));
  const parts = root.querySelectorAll('[data-part]');
  let backrefs = [];

  const showBackrefs = (some) => {
    list.replaceChildren(...some.map((id) => element('li', {}, sequenceLink(id, id))));
    all.hidden = some.length === backrefs.length;
    all.textContent = `Show all ${grouped(backrefs.length)}`;
  };
  const showParts = (found) => { for (const part of parts) part.hidden = !found(part.dataset.part); };

  all.addEventListener('click', () => {
    const next = FIRST_BACKREFS;
    showBackrefs(backrefs);
    list.children[next].firstChild.focus();  // the button is gone: go on where the new ones begin
  });

  const panel = new Panel(root, ({ id }, signal) => askReferences(id, signal), (found) => {
    backrefs = found.backrefs;
    const xrefs = found.xrefs.trim();
    text.replaceChildren(...linked(xrefs));
    count.textContent = grouped(backrefs.length);
    showBackrefs(backrefs.slice(0, FIRST_BACKREFS));
    root.querySelector('.none').textContent = 'No other sequence is mentioned here, or mentions this one.';
    showParts((part) => ({ xrefs, backrefs: backrefs.length > 0, none: !xrefs && backrefs.length === 0 })[part]);
  });

  return {
    close: () => panel.close(),
    open(sequence) {
      backrefs = [];
      showParts(() => false);
      panel.open(sequence, 'Looking …');
    },
  };
}

/** The text with its A-numbers as links. */
function linked(text) {
  return text.split(/\b(A\d{6})\b/).map((piece, i) => (i % 2 === 1 ? sequenceLink(piece, piece) : piece));
}

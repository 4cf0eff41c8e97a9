// Search as one types: a combobox (ARIA 1.2) over the API's search. What is shown always belongs to
// what stands in the field; while an answer is on its way nothing of the one before can be chosen.

import { askSearch } from './api.js';
import { element } from './dom.js';
import { explain } from './problems.js';
import { normalizeId } from './sequence.js';

// A term without any of these finds nothing; and a browser takes "." and ".." out of an address.
const SEARCHABLE = /[\p{L}\p{N}]/u;

/** @param pick (id) is called with the visitor's choice. */
export function startSearch(form, pick) {
  const input = form.querySelector('input');
  const [popup, list, note] = ['.popup', '[role=listbox]', '.note'].map((part) => form.querySelector(part));
  let asked = '';          // the term that is asked for or shown
  let pending = null;      // AbortController of its request
  let found = [];          // what is shown for it
  let active = -1;         // of these, the one that the keyboard has reached
  let pickFirst = false;   // Enter came before the answer

  async function update() {
    const term = input.value.trim();
    if (term !== '' && term === asked) { open(); return; }
    forget();
    asked = term;
    if (!SEARCHABLE.test(term)) {
      show([], term ? nothing(term) : '');
      return;
    }
    const mine = pending = new AbortController();
    activate(-1);
    form.dataset.state = 'loading';
    list.setAttribute('aria-busy', 'true');
    const outcome = await askSearch(term, mine.signal);
    if (!outcome || pending !== mine) return;  // the visitor has typed on
    pending = null;
    if (outcome.problem) {
      asked = '';  // the same term may be tried again
      show([], explain('the search', outcome.problem).join('. '), 'error');
      return;
    }
    show(outcome.value, outcome.value.length > 0 ? '' : nothing(term));
    if (pickFirst && found.length > 0) choose(found[0].id);
  }

  function show(results, text, state = 'ready') {
    found = results;
    form.dataset.state = state;
    form.dataset.term = asked;
    list.removeAttribute('aria-busy');
    list.replaceChildren(...found.map(({ id, name }, i) => element('li', { role: 'option', id: `found-${i}`, 'aria-selected': 'false', 'data-id': id },
      element('small', {}, id), element('span', {}, name))));
    list.hidden = found.length === 0;
    note.textContent = text || (found.length === 1 ? 'One sequence' : found.length > 0 ? `${found.length} sequences` : '');
    // Who sees the sequences need not be told their number.
    note.classList.toggle('visually-hidden', !text);
    activate(-1);
    open();
  }

  function open() {
    const wanted = input === document.activeElement && !note.matches(':empty');
    popup.hidden = !wanted;
    input.setAttribute('aria-expanded', String(wanted && found.length > 0));
  }

  function close() {
    popup.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    activate(-1);
  }

  function activate(next) {
    list.children[active]?.setAttribute('aria-selected', 'false');
    active = next;
    const option = list.children[active];
    option?.setAttribute('aria-selected', 'true');
    option?.scrollIntoView({ block: 'nearest' });
    if (option) input.setAttribute('aria-activedescendant', option.id);
    else input.removeAttribute('aria-activedescendant');
  }

  function choose(id) {
    if (pending) forget();
    close();
    pick(id);
  }

  /** Gives up the request under way. */
  function forget() {
    pending?.abort();
    pending = null;
    asked = '';
    pickFirst = false;
  }

  function step(by) {
    if (popup.hidden) open();
    if (pending || found.length === 0) return;
    // One place more than there are results: the field itself, where nothing is chosen.
    const places = found.length + 1;
    activate(((active + 1 + by + places) % places) - 1);
  }

  input.addEventListener('input', update);
  input.addEventListener('focus', open);
  input.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    const act = { ArrowDown: () => step(1), ArrowUp: () => step(-1), Escape: close }[event.key];
    if (!act || (event.key === 'Escape' && popup.hidden)) return;
    event.preventDefault();
    act();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const id = /^\s*a/i.test(input.value) ? normalizeId(input.value) : null;
    if (active >= 0) choose(found[active].id);
    else if (id) choose(id);
    else if (pending) pickFirst = true;
    else if (asked === '') update();
    else if (found.length > 0) choose(found[0].id);
    else open();
  });
  // The field keeps the focus while the pointer is on the list.
  popup.addEventListener('mousedown', (event) => event.preventDefault());
  list.addEventListener('click', (event) => {
    const option = event.target.closest('[role=option]');
    if (option && !pending) choose(option.dataset.id);
  });
  form.addEventListener('focusout', (event) => { if (!form.contains(event.relatedTarget)) close(); });
}

const nothing = (term) => `Nothing found for “${term}”. Words of a name, an A-number, or terms such as 1, 2, 3, 5 can be searched for.`;

// The page: reads the chosen sequence from the address, asks for it, and shows whatever comes back.

import { askSequence } from './api.js';
import { element, grouped, sequenceLink } from './dom.js';
import { drawTerms } from './plot.js';
import { explain } from './problems.js';
import { referencesPanel } from './references.js';
import { showReport } from './report.js';
import { drawResidues, residueColor } from './residues.js';
import { startSearch } from './search.js';
import { absolute, digitCount, elide, normalizeId, residue, shortLabel } from './sequence.js';
import { termsPanel } from './terms.js';

const SAMPLES = [
  ['A000040', 'Primes'], ['A000045', 'Fibonacci'], ['A000041', 'Partitions'], ['A000108', 'Catalan'],
  ['A000005', 'Divisor counts'], ['A000010', 'Totient'], ['A000217', 'Triangular'], ['A000120', 'Binary ones'],
  ['A010060', 'Thue–Morse'], ['A005132', 'Recamán'], ['A006577', 'Collatz steps'], ['A000796', 'Digits of π'],
];
const DEFAULT_ID = SAMPLES[0][0];
// Above this many digits a linear picture is one steep corner, so the logarithm is the better start.
const LINEAR_DIGITS = 8;

const $ = (id) => document.getElementById(id);
const [content, picture, problemBox, stage, plot, grid, cursor, settings] =
  ['content', 'picture', 'problem', 'stage', 'plot', 'grid', 'cursor', 'settings'].map($);
const panels = [termsPanel($('terms')), referencesPanel($('references'))];

let sequence = null;      // what is shown, null while there is none
let drawing = null;       // {mark, nearest} of the picture on the stage
let pending = null;       // AbortController of the request under way
let scaleChosen = false;  // the visitor has picked a scale: do not choose for them any more

// ---- asking -------------------------------------------------------------------------------------

const wantedText = () => new URLSearchParams(location.search).get('seq') ?? DEFAULT_ID;

async function load() {
  pending?.abort();
  const mine = pending = new AbortController();
  const id = normalizeId(wantedText());
  announceChoice(id);
  if (!id) {
    showProblem(wantedText(), { kind: 'malformed', said: '' });
    return;
  }
  setState('loading');
  $('status').textContent = `Asking for ${id}`;
  const outcome = await askSequence(id, Number(settings.elements.count.value), mine.signal);
  const timing = await outcome?.exchange.timing;
  if (!outcome || mine.signal.aborted) return;  // a newer request has taken over
  showReport($('report'), outcome.exchange, timing);
  if (outcome.problem) showProblem(id, outcome.problem);
  else if (outcome.value.terms.length === 0) showProblem(id, { kind: 'empty', said: '' });
  else showSequence(outcome.value);
}

function choose(text) {
  const id = normalizeId(text) ?? text.trim();
  const query = new URLSearchParams(location.search);
  query.set('seq', id);
  history.pushState(null, '', `?${query}`);
  load();
}

/** As choose(), from a place that is gone or out of sight afterwards: the visitor is taken along. */
function walkTo(id) {
  choose(id);
  content.focus({ preventScroll: true });
  const { top } = content.getBoundingClientRect();
  if (top < 0 || top > window.innerHeight / 2) content.scrollIntoView();
}

function setState(state) {
  content.dataset.state = state;
  content.setAttribute('aria-busy', String(state === 'loading'));
}

// ---- showing ------------------------------------------------------------------------------------

function announceChoice(id) {
  $('number').value = id ?? wantedText();
  for (const link of $('samples').querySelectorAll('a')) {
    const current = link.dataset.id === id;
    if (current) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
    // On a phone the samples are one row that scrolls. scrollIntoView would scroll the page as well.
    if (current) $('samples').scrollLeft = link.offsetLeft - ($('samples').clientWidth - link.offsetWidth) / 2;
  }
}

function showSequence(next) {
  sequence = next;
  const { id, name, terms } = sequence;
  setTitle(id, name);
  $('summary').textContent = summaryOf(terms);
  content.dataset.count = terms.length;
  problemBox.hidden = true;
  picture.hidden = false;

  if (!scaleChosen) settings.elements.scale.value = digitsOfLargest(terms) > LINEAR_DIGITS ? 'log' : 'linear';
  cursor.max = terms.length - 1;
  cursor.value = 0;
  draw();
  for (const panel of panels) panel.open(sequence);
  setState('ready');
  $('status').textContent = `${id}: ${terms.length} terms`;
}

const largestOf = (terms) => terms.reduce((most, { value }) => (absolute(value) > absolute(most) ? value : most), 0n);
const digitsOfLargest = (terms) => digitCount(largestOf(terms));

function summaryOf(terms) {
  const largest = largestOf(terms);
  const digits = digitCount(largest);
  const size = digits <= 6 ? `largest ${shortLabel(largest)}` : `largest has ${digits} digits`;
  const count = terms.length === 1 ? '1 term' : `${grouped(terms.length)} terms`;
  return `${count} · n = ${terms[0].index} to ${terms.at(-1).index} · ${size}`.replaceAll('-', '−');
}

function setTitle(id, name) {
  // What is not an A-number has no page at the OEIS to link to.
  $('oeis-link').hidden = normalizeId(id) !== id;
  $('oeis-link').textContent = id;
  $('oeis-link').href = `https://oeis.org/${encodeURIComponent(id)}`;
  $('name').textContent = name;
  $('name').classList.toggle('long', name.length > 70);
  document.title = `${id} · gatescope sample site`;
}

function draw() {
  if (!sequence || picture.hidden) return;
  const residues = settings.elements.view.value === 'residues';
  for (const part of settings.querySelectorAll('[data-for]')) {
    part.hidden = part.dataset.for !== settings.elements.view.value;
  }
  plot.toggleAttribute('hidden', residues);
  grid.hidden = $('legend').hidden = !residues;
  const { width, height } = stage.getBoundingClientRect();
  if (residues) {
    const modulus = within(settings.elements.modulus, 6);
    drawing = drawResidues(grid, sequence.terms, modulus, within(settings.elements.row, 0), width, height);
    showLegend(modulus, drawing);
  } else {
    drawing = drawTerms(plot, sequence.terms, settings.elements.scale.value, width, height);
  }
  mark();
}

/** A number field's value inside its bounds; `otherwise` while it is empty or half typed. */
function within(input, otherwise) {
  const value = Math.trunc(Number(input.value));
  return input.value !== '' && value >= Number(input.min) && value <= Number(input.max) ? value : otherwise;
}

function showLegend(modulus, { shown, columns }) {
  const keys = Array.from({ length: Math.min(modulus, 16) }, (_, r) => {
    const swatch = element('i');
    swatch.style.background = residueColor(r, modulus);
    return element('span', {}, swatch, String(r));
  });
  const note = `${modulus > 16 ? '… ' : ''}${grouped(shown)} terms, ${columns} in a row`;
  $('legend').replaceChildren(...keys, note);
}

function mark() {
  const at = Number(cursor.value);
  const { index, value, text } = sequence.terms[at];
  drawing.mark(at);
  const modulus = within(settings.elements.modulus, 6);
  const residues = settings.elements.view.value === 'residues';
  const rest = residues ? ` ≡ ${residue(value, BigInt(modulus))} (mod ${modulus})` : '';
  // The size comes first: after hundreds of digits it would be out of sight.
  const digits = digitCount(value);
  $('readout').textContent = `a(${index})${digits > 20 ? `, ${digits} digits,` : ''} = ${text}${rest}`;
  cursor.setAttribute('aria-valuetext', `a(${index}) = ${elide(text)}${rest}`);
}

// ---- problems -----------------------------------------------------------------------------------

function showProblem(id, problem) {
  sequence = null;
  delete content.dataset.count;
  const [title, text] = explain(id, problem);
  setTitle(id, title);
  $('summary').textContent = '';
  $('problem-text').textContent = text;
  $('problem-said').textContent = problem.said;
  $('problem-said-line').hidden = !problem.said;
  $('retry').hidden = ['unknown', 'malformed', 'empty'].includes(problem.kind);
  picture.hidden = true;
  for (const panel of panels) panel.close();
  problemBox.hidden = false;
  problemBox.dataset.kind = problem.kind;
  setState('error');
  $('status').textContent = '';
}

// ---- wiring -------------------------------------------------------------------------------------

$('samples').append(...SAMPLES.map(([id, title]) =>
  element('li', {}, sequenceLink(id, title, element('small', {}, id)))));
startSearch($('search'), walkTo);

// Links stay links (they can be copied and opened in a tab); a plain click only saves the page load.
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[href^="?seq="]');
  if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const id = new URLSearchParams(link.search).get('seq');
  if (link.closest('#references')) walkTo(id);
  else choose(id);
});

$('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  if ($('number').value.trim()) choose($('number').value);
});

settings.addEventListener('submit', (event) => event.preventDefault());
settings.addEventListener('input', ({ target }) => {
  if (target.name === 'count') { load(); return; }
  if (target.name === 'scale') scaleChosen = true;
  draw();
});

cursor.addEventListener('input', mark);
stage.addEventListener('pointermove', (event) => {
  if (!drawing || !sequence) return;
  const box = (grid.hidden ? plot : grid).getBoundingClientRect();
  cursor.value = drawing.nearest(event.clientX - box.left, event.clientY - box.top);
  mark();
});

$('retry').addEventListener('click', load);
$('again').addEventListener('click', load);
window.addEventListener('popstate', load);
new ResizeObserver(draw).observe(stage);

load();

// A part of the page that asks for its content when it comes into sight, and not before: who only
// looks at the picture costs the server no factoring.

import { explain } from './problems.js';

// Begin a little before the panel can be seen.
const EARLY = '160px';

export class Panel {
  #root; #ask; #show; #note; #again; #seen;
  #subject = null;
  #pending = null;

  /**
   * @param root has [data-note] for a line of text and [data-again] for the button beside it
   * @param ask (subject, signal) -> an outcome of api.js; null when aborted
   * @param show (value, subject) -> a note when something is still missing, else nothing
   */
  constructor(root, ask, show) {
    [this.#root, this.#ask, this.#show] = [root, ask, show];
    this.#note = root.querySelector('[data-note]');
    this.#again = root.querySelector('[data-again]');
    this.#again.addEventListener('click', () => this.#load());
    this.#seen = new IntersectionObserver((entries) => {
      if (!entries.at(-1).isIntersecting) return;
      this.#seen.disconnect();
      this.#load();
    }, { rootMargin: EARLY });
  }

  /** Takes the panel to another sequence. What is under way for the one before is given up. */
  open(subject, waiting) {
    this.close();
    this.#subject = subject;
    this.#root.hidden = false;
    this.#say('idle', waiting);
    this.#seen.observe(this.#root);
  }

  close() {
    this.#seen.disconnect();
    this.#pending?.abort();
    this.#root.hidden = true;
  }

  async #load() {
    this.#pending?.abort();
    this.#pending = new AbortController();
    this.#say('loading', this.#again.hidden ? this.#note.textContent : 'Asking again …');
    const outcome = await this.#ask(this.#subject, this.#pending.signal);
    if (!outcome) return;  // another sequence has taken over
    if (outcome.problem) {
      this.#say('error', explain(this.#subject.id, outcome.problem).join('. '));
      return;
    }
    const missing = this.#show(outcome.value, this.#subject) ?? '';
    this.#say(missing ? 'partial' : 'ready', missing);
  }

  #say(state, note) {
    this.#root.dataset.state = state;
    this.#root.setAttribute('aria-busy', String(state === 'loading'));
    this.#note.textContent = note;
    this.#note.hidden = !note;
    this.#again.hidden = state !== 'partial' && state !== 'error';
  }
}

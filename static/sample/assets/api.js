// Asks gatescope's API and records what happened on the way. Never throws for what a server or a
// network may do: the outcome is a value or a problem, and the exchange is there in both cases,
// because a failed request is the one that a visitor wants to know most about.

import { parseFactors } from './factors.js';
import { parseSequence } from './sequence.js';

// Longer than the server's own longest deadline (10 s, factors), so that its answer comes first.
const DEADLINE_MS = 20_000;

// All four give {exchange, value?, problem?}, or null when `signal` was aborted meanwhile.

/** A sequence; count 0 means all terms, which is the endpoint with the real name. */
export const askSequence = (id, count, signal) =>
  ask(count > 0 ? `get_oeis_values/${id}/${count}` : `get_oeis_name_and_values/${id}`, parseSequence, signal);

/** The factors of the first `count` terms, as a Map from the index. The server may think for 10 s. */
export const askFactors = (id, count, signal) => ask(`get_oeis_factors/${id}/${count}`, ({ factors }) =>
  new Map(Object.entries(factors).map(([index, text]) => [Number(index), parseFactors(text)])), signal);

/** {xrefs, backrefs}: what the entry says of others, and the numbers of those that mention it. */
export const askReferences = (id, signal) => ask(`get_oeis_metadata/${id}`, ({ xrefs, backrefs }) =>
  ({ xrefs: String(xrefs), backrefs: [...backrefs] }), signal);

/** At most ten {id, name}, best first. */
export const askSearch = (term, signal) => ask(`search_oeis/${encodeURIComponent(term)}`, ({ results }) =>
  results.map(([id, name]) => ({ id, name })), signal);

async function ask(path, parse, signal) {
  const url = new URL(`/api/${path}`, location.origin).href;
  const exchange = { url, started: performance.now(), status: 0, headers: new Headers(), body: '' };
  // Handed on as a promise: the browser's figures may come later than the answer, which need not wait.
  const timing = watchTiming(url);
  exchange.timing = timing.entry;
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const stop = new AbortController();
  for (const reason of [signal, deadline]) reason.addEventListener('abort', () => stop.abort(), { once: true });
  try {
    const response = await fetch(url, { signal: stop.signal });
    exchange.status = response.status;
    exchange.headers = response.headers;
    exchange.body = await response.text();
  } catch (error) {
    timing.stop();
    if (!signal.aborted) exchange.elapsed = performance.now() - exchange.started;
    return signal.aborted ? null : { exchange, problem: { kind: deadline.aborted ? 'slow' : 'unreachable', said: '' } };
  }
  exchange.elapsed = performance.now() - exchange.started;
  timing.giveUpSoon();
  return signal.aborted ? null : { exchange, ...judge(exchange, parse) };
}

function judge({ status, headers, body }, parse) {
  const said = /html/.test(headers.get('Content-Type') ?? '') ? '' : body.trim().slice(0, 300);
  if (status === 503 || status === 429) {
    return { problem: { kind: 'busy', said, wait: retryAfter(headers.get('Retry-After')) } };
  }
  if (status !== 200) return { problem: { kind: 'refused', said, status } };
  // The service answers an unknown sequence with 200 and this text; its old clients rely on that.
  if (body.startsWith('Error: ')) return { problem: { kind: 'unknown', said: said.slice('Error: '.length) } };
  try {
    return { value: parse(JSON.parse(body)) };
  } catch (error) {
    return { problem: { kind: 'unreadable', said: String(error.message ?? error) } };
  }
}

/** Retry-After is seconds or an HTTP date (RFC 9110, 10.2.3). @returns seconds, or null when absent. */
function retryAfter(text) {
  if (!text) return null;
  if (/^\d+$/.test(text.trim())) return Number(text);
  const until = Date.parse(text);
  return Number.isNaN(until) ? null : Math.max(0, Math.ceil((until - Date.now()) / 1000));
}

// An observer, not performance.getEntriesByName: that buffer stops at 250 entries, and the entry may
// arrive a little after the body has been read.
function watchTiming(url) {
  let found;
  const entry = new Promise((resolve) => { found = resolve; });
  const observer = new PerformanceObserver((list) => end(list.getEntriesByName(url).at(-1)));
  observer.observe({ type: 'resource' });
  const stop = () => { observer.disconnect(); found(null); };
  function end(timing) {
    if (!timing) return;
    found(timing);
    observer.disconnect();
  }
  return { entry, stop, giveUpSoon: () => setTimeout(stop, 500) };
}

// Asks gatescope's API and records what happened on the way. Never throws for what a server or a
// network may do: the outcome is a sequence or a problem, and the exchange is there in both cases,
// because a failed request is the one that a visitor wants to know most about.

import { parseSequence } from './sequence.js';

// Longer than the server's own longest deadline for values (5 s), so that its answer comes first.
const DEADLINE_MS = 20_000;

/** The address for a sequence; count 0 means all terms, which is the endpoint with the real name. */
export function sequenceUrl(id, count) {
  const path = count > 0 ? `/api/get_oeis_values/${id}/${count}` : `/api/get_oeis_name_and_values/${id}`;
  return new URL(path, location.origin).href;
}

/** @returns {{exchange, sequence?, problem?}}, or null when `signal` was aborted meanwhile. */
export async function askSequence(id, count, signal) {
  const url = sequenceUrl(id, count);
  const exchange = { url, started: performance.now(), status: 0, headers: new Headers(), timing: null, body: '' };
  const timing = watchTiming(url);
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const stop = new AbortController();
  for (const reason of [signal, deadline]) reason.addEventListener('abort', () => stop.abort(), { once: true });
  try {
    const response = await fetch(url, { signal: stop.signal });
    exchange.status = response.status;
    exchange.headers = response.headers;
    exchange.body = await response.text();
    exchange.elapsed = performance.now() - exchange.started;
    exchange.timing = await timing.entry();
  } catch (error) {
    if (signal.aborted) return null;
    exchange.elapsed = performance.now() - exchange.started;
    return { exchange, problem: { kind: deadline.aborted ? 'slow' : 'unreachable', said: '' } };
  } finally {
    timing.stop();
  }
  return signal.aborted ? null : { exchange, ...judge(exchange) };
}

function judge({ status, headers, body }) {
  const said = /html/.test(headers.get('Content-Type') ?? '') ? '' : body.trim().slice(0, 300);
  if (status === 503 || status === 429) {
    return { problem: { kind: 'busy', said, wait: retryAfter(headers.get('Retry-After')) } };
  }
  if (status !== 200) return { problem: { kind: 'refused', said, status } };
  // The service answers an unknown sequence with 200 and this text; its old clients rely on that.
  if (body.startsWith('Error: ')) return { problem: { kind: 'unknown', said: said.slice('Error: '.length) } };
  try {
    return { sequence: parseSequence(JSON.parse(body)) };
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
  const arrived = new Promise((resolve) => { found = resolve; });
  const observer = new PerformanceObserver((list) => {
    const entry = list.getEntriesByName(url).at(-1);
    if (entry) found(entry);
  });
  observer.observe({ type: 'resource' });
  const giveUp = () => new Promise((resolve) => { setTimeout(resolve, 500, null); });
  return { entry: () => Promise.race([arrived, giveUp()]), stop: () => observer.disconnect() };
}

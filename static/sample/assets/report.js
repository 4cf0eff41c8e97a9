// "What happened": one exchange with the server, in the words of someone who runs it.

import { element } from './dom.js';

const PROTOCOLS = { h3: 'HTTP/3', h2: 'HTTP/2', 'http/1.1': 'HTTP/1.1' };
const SOURCES = {
  bfile: 'the b-file: every listed term',
  oeisdata: 'OEIS data: the entry’s first terms',
};

/** `timing` is the browser's own entry for the exchange, or null. */
export function showReport(list, exchange, timing) {
  list.replaceChildren(...rowsOf(exchange, timing).map(([term, text, note, key]) => element('div', { 'data-fact': key },
    element('dt', {}, term),
    element('dd', {}, text, ...(note ? [' ', element('small', {}, note)] : [])))));
}

function rowsOf({ url, status, headers, elapsed, body }, timing) {
  const source = headers.get('X-Sequence-Source');
  const protocol = timing?.nextHopProtocol;
  return [
    ['Request', `GET ${url}`, '', 'request'],
    ['Status', status ? String(status) : 'no answer', statusNote(status, headers), 'status'],
    ['Time', milliseconds(timing?.duration || elapsed), waited(timing), 'time'],
    ['Size', ...size(timing, headers, body), 'size'],
    ['Protocol', PROTOCOLS[protocol] ?? (protocol || 'not told'), location.protocol === 'https:' ? 'over TLS' : 'without TLS', 'protocol'],
    ['Source', source ?? 'not told', SOURCES[source] ?? '', 'source'],
    ['Served by', headers.get('Server') ?? 'not told', location.host, 'server'],
  ];
}

function statusNote(status, headers) {
  const wait = headers.get('Retry-After');
  if (wait) return `Retry-After: ${wait}`;
  return status ? headers.get('Content-Type') ?? '' : '';
}

const milliseconds = (ms) => (ms === undefined ? 'not told' : `${ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`);

function waited(timing) {
  if (!timing?.requestStart) return '';
  return `${milliseconds(timing.responseStart - timing.requestStart)} until the first byte`;
}

/** Transferred and unpacked size. A transfer of 0 is the browser's cache; one below the body a 304. */
function size(timing, headers, body) {
  if (!timing?.decodedBodySize) return [bytes(new Blob([body]).size), ''];
  const { transferSize, encodedBodySize, decodedBodySize } = timing;
  if (transferSize === 0) return [bytes(decodedBodySize), 'from the browser’s cache, nothing sent'];
  if (transferSize < encodedBodySize) return [bytes(decodedBodySize), `not modified, only ${bytes(transferSize)} sent`];
  const encoding = headers.get('Content-Encoding');
  return encoding && encodedBodySize !== decodedBodySize
    ? [bytes(encodedBodySize), `${encoding}, ${bytes(decodedBodySize)} unpacked`]
    : [bytes(decodedBodySize), 'not compressed'];
}

const bytes = (count) => (count < 1000 ? `${count} B` : `${(count / 1000).toFixed(count < 100_000 ? 1 : 0)} kB`);

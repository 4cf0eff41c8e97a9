// The terms as points over their indices, in SVG: sharp at any zoom, coloured by the style sheet.

import { indexAxis, valueAxis } from './ticks.js';

const SVG = 'http://www.w3.org/2000/svg';
const MARGIN = { top: 14, right: 14, bottom: 30 };
// Below this many points a line between them helps the eye; above it is a smear.
const JOIN_LIMIT = 300;

/**
 * Draws `terms` into `svg`, width by height pixels.
 * @returns {{mark(i), nearest(x)}}: shows the i-th term as chosen; finds the term closest to pixel x.
 */
export function drawTerms(svg, terms, scale, width, height) {
  const y = valueAxis(terms, scale);
  const left = 16 + 7.2 * Math.max(...y.ticks.map(({ label }) => label.length), 1);
  // The ring around the first term must not cover the labels.
  const inset = 8;
  const inner = { width: width - left - inset - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  const x = indexAxis(terms[0].index, terms.at(-1).index, inner.width / 90);
  const toX = (at) => left + inset + at * inner.width;
  const toY = (at) => MARGIN.top + (1 - at) * inner.height;
  const places = terms.map(({ index, value }) => [toX(x.position(index)), toY(y.position(value))]);

  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.dataset.points = terms.length;
  svg.dataset.scale = scale;
  svg.replaceChildren();
  for (const { at, label } of y.ticks) {
    add(svg, 'line', { class: 'rule', x1: left, x2: width - MARGIN.right, y1: toY(at), y2: toY(at) });
    add(svg, 'text', { class: 'tick', x: left - 8, y: toY(at) + 4, 'text-anchor': 'end' }).textContent = label;
  }
  for (const { at, label } of x.ticks) {
    add(svg, 'line', { class: 'notch', x1: toX(at), x2: toX(at), y1: height - MARGIN.bottom, y2: height - MARGIN.bottom + 5 });
    // The last label would hang over the edge of a phone.
    const anchor = toX(at) > width - 30 ? 'end' : 'middle';
    add(svg, 'text', { class: 'tick', x: toX(at), y: height - 8, 'text-anchor': anchor }).textContent = label;
  }
  add(svg, 'line', { class: 'axis', x1: left, x2: width - MARGIN.right, y1: height - MARGIN.bottom, y2: height - MARGIN.bottom });

  if (places.length <= JOIN_LIMIT) {
    add(svg, 'polyline', { class: 'thread', points: places.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ') });
  }
  add(svg, 'path', { class: 'points', d: dots(places), 'stroke-width': dotSize(places.length, inner.width) });
  const rod = add(svg, 'line', { class: 'rod', y1: MARGIN.top, y2: height - MARGIN.bottom });
  const ring = add(svg, 'circle', { class: 'ring', r: 6 });

  return {
    mark(i) {
      const [px, py] = places[i];
      set(rod, { x1: px, x2: px });
      set(ring, { cx: px, cy: py });
    },
    nearest(px) {
      const at = Math.round(((px - left - inset) / inner.width) * (terms.length - 1));
      return Math.min(terms.length - 1, Math.max(0, at));
    },
  };
}

// One path of zero-length strokes with round caps: a circle element for each of 100,000 terms would
// stop the page. Points that fall on the same half pixel are drawn once.
function dots(places) {
  const seen = new Set();
  let path = '';
  for (const [x, y] of places) {
    const key = Math.round(x * 2) * 65536 + Math.round(y * 2);
    if (seen.has(key)) continue;
    seen.add(key);
    path += `M${x.toFixed(1)} ${y.toFixed(1)}h0`;
  }
  return path;
}

const dotSize = (count, width) => Math.min(7, Math.max(1.6, (width / count) * 0.55)).toFixed(2);

function add(parent, tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  set(element, attributes);
  return parent.appendChild(element);
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, typeof value === 'number' ? value.toFixed(1) : value);
  }
}

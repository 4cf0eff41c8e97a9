'use strict';
// The status page's charts and the words for numbers; status_page.js, which CMake puts behind this, has the rest.

const byId = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function draw(tag, attributes = {}, text) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// ---- Numbers for people

function digits(value) {
  if (value >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en');
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
const count = (value) => Math.round(value).toLocaleString('en');
const perSecond = (value) => digits(value) + '/s';
function bytes(value) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    ++unit;
  }
  return (unit === 0 ? Math.round(value) : digits(value)) + ' ' + units[unit];
}
const bytesPerSecond = (value) => bytes(value) + '/s';
function milliseconds(value) {
  if (value === 0) return '0 ms';
  if (value < 1) return '<1 ms';
  return value < 1000 ? Math.round(value) + ' ms' : digits(value / 1000) + ' s';
}
const percent = (value) => Math.round(value * 1000) / 10 + ' %';
function duration(seconds) {
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${Math.floor(seconds) % 60} s` : `${Math.floor(seconds)} s`;
}
const clock = (at, withSeconds) =>
  new Date(at * 1000).toLocaleTimeString('en-GB', withSeconds ? {} : {hour: '2-digit', minute: '2-digit'});
const moment = (at) =>
  new Date(at * 1000).toISOString().replace('T', ' ').slice(0, 16) + ' UTC';

// ---- What is known: the points of both ranges, by columns

const kept = {seconds: 600, minutes: 720};
const span = {seconds: 600, minutes: 86400};
let started = null;
let points = {seconds: null, minutes: null};

function take(history) {
  for (const range of ['seconds', 'minutes']) {
    const fresh = history[range];
    const known = points[range];
    if (known === null || fresh.last < known.last) {
      points[range] = fresh;
      continue;
    }
    for (const [name, column] of Object.entries(fresh)) {
      if (!Array.isArray(column)) continue;
      known[name].push(...column);
      if (known[name].length > kept[range]) known[name].splice(0, known[name].length - kept[range]);
    }
    known.last = fresh.last;
  }
}

// ---- Charts

const classes = [
  {name: '2xx', label: '2xx', color: 'c2xx'},
  {name: '3xx', label: '3xx', color: 'c3xx'},
  {name: '4xx', label: '4xx', color: 'c4xx'},
  {name: '5xx', label: '5xx', color: 'c5xx'},
  {name: 'none', label: 'none (client left)', color: 'none'},
];
const rate = (name) => (p, i) => p[name][i] / p.seconds[i];
const plain = (name) => (p, i) => p[name][i];
const timed = (name) => (p, i) => (answered(p, i) === 0 ? null : p[name][i]);
const answered = (p, i) => classes.reduce((sum, one) => sum + p[one.name][i], 0);
const share = (hits, misses) => (p, i) =>
  p[hits][i] + p[misses][i] === 0 ? null : p[hits][i] / (p[hits][i] + p[misses][i]);

const charts = [
  {title: 'Requests per second, by status', unit: perSecond, stacked: true, empty: 'No requests yet',
   series: classes.map((one) => ({...one, value: rate(one.name)}))},
  {title: 'Time to answer', unit: milliseconds, empty: 'No requests yet', least: 5, series: [
    {label: 'half within', color: 'a', value: timed('p50_ms')},
    {label: '90 % within', color: 'b', value: timed('p90_ms')},
    {label: '99 % within', color: 'c', value: timed('p99_ms')}]},
  {title: 'Bytes per second', unit: bytesPerSecond, least: 1000, bytes: true, series: [
    {label: 'sent', color: 'a', value: rate('sent')},
    {label: 'received', color: 'b', value: rate('received')}]},
  {title: 'Connections and requests at the same time', unit: count, least: 4, series: [
    {label: 'connections', color: 'a', value: plain('connections')},
    {label: 'requests', color: 'b', value: plain('active_requests')}]},
  {title: 'Answers from memory', unit: percent, most: 1, empty: 'Nothing was looked for yet', series: [
    {label: 'files', color: 'a', value: share('file_hits', 'file_misses')},
    {label: 'API', color: 'b', value: share('api_hits', 'api_misses')}]},
  {title: 'Memory of the process', unit: bytes, bytes: true, least: 1e6, series: [
    {label: 'resident', color: 'a', value: plain('memory')}]},
];

/** A round number at or above the largest, and the lines between. */
function scale(largest, chart) {
  if (chart.most) return {top: chart.most, lines: [0, chart.most / 2, chart.most]};
  const wanted = Math.max(largest, chart.least || 1);
  const decade = 10 ** Math.floor(Math.log10(wanted));
  const top = [1, 2, 4, 5, 10].map((n) => n * decade).find((n) => n >= wanted * 0.999);
  return {top, lines: [0, top / 2, top]};
}

const margin = {top: 8, right: 10, bottom: 20, left: 58};
const height = 170;

class Chart {
  constructor(spec) {
    this.spec = spec;
    this.at = null;  // the point under the cursor; null: the latest
    const id = 'chart' + charts.indexOf(spec);
    this.svg = draw('svg', {role: 'img', tabindex: '0', 'aria-labelledby': id, 'aria-describedby': id + 'd'});
    this.legend = make('ul', {class: 'legend'});
    this.values = spec.series.map((one) => {
      const key = make('span', {class: 'key'});
      key.style.background = `var(--${one.color})`;
      const value = make('b');
      this.legend.append(make('li', {}, key, make('span', {}, one.label), value));
      return value;
    });
    this.when = make('p', {class: 'when', id: id + 'd'});
    this.figure = make('figure', {}, make('figcaption', {}, make('span', {id}, spec.title), this.when), this.legend, this.svg);
    byId('charts').append(this.figure);
    this.svg.addEventListener('pointermove', (event) => this.point(event));
    this.svg.addEventListener('pointerdown', (event) => this.point(event));
    this.svg.addEventListener('pointerleave', () => this.choose(null));
    this.svg.addEventListener('blur', () => this.choose(null));
    this.svg.addEventListener('keydown', (event) => this.press(event));
    new ResizeObserver(() => this.show()).observe(this.figure);
  }

  points() {
    return points[range];
  }

  choose(at) {
    this.at = at;
    this.show();
  }

  point(event) {
    const p = this.points();
    if (!p || p.at.length === 0) return;
    const x = event.clientX - this.svg.getBoundingClientRect().left;
    const time = this.end() - span[range] * (1 - (x - margin.left) / this.inner());
    let best = 0;
    p.at.forEach((at, i) => {
      if (Math.abs(at - time) < Math.abs(p.at[best] - time)) best = i;
    });
    this.choose(p.at[best]);
  }

  press(event) {
    const p = this.points();
    const steps = {ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity};
    if (event.key === 'Escape') return this.choose(null);
    if (!(event.key in steps) || !p || p.at.length === 0) return;
    event.preventDefault();
    const now = this.at === null ? p.at.length - 1 : p.at.indexOf(this.at);
    this.choose(p.at[Math.min(p.at.length - 1, Math.max(0, now + steps[event.key]))]);
  }

  width() {
    return Math.max(220, this.svg.clientWidth);
  }
  inner() {
    return this.width() - margin.left - margin.right;
  }
  end() {
    const p = this.points();
    return p && p.at.length > 0 ? p.at[p.at.length - 1] : Date.now() / 1000;
  }

  show() {
    const p = this.points();
    const {spec, svg} = this;
    const width = this.width();
    svg.replaceChildren();
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    const n = p ? p.at.length : 0;
    const rows = spec.series.map((one) => Array.from({length: n}, (_, i) => one.value(p, i)));
    const top = rows.map((row) => row.slice());
    if (spec.stacked)
      for (let s = 1; s < top.length; ++s)
        for (let i = 0; i < n; ++i) top[s][i] += top[s - 1][i];
    const known = top.flat().filter((value) => value !== null);
    const axis = scale(known.reduce((a, b) => Math.max(a, b), 0), spec);
    const bottom = height - margin.bottom;
    const y = (value) => bottom - (bottom - margin.top) * value / axis.top;
    const end = this.end();
    const x = (at) => margin.left + this.inner() * (1 - (end - at) / span[range]);

    for (const line of axis.lines) {
      svg.append(draw('line', {class: 'grid', x1: margin.left, x2: width - margin.right, y1: y(line), y2: y(line)}));
      svg.append(draw('text', {x: margin.left - 6, y: y(line) + 4, 'text-anchor': 'end'},
        line === 0 ? '0' : spec.unit(line)));
    }
    const marks = width < 380 ? 2 : 4;
    for (let i = 0; i <= marks; ++i) {
      const at = end - span[range] * (1 - i / marks);
      const anchor = i === 0 ? 'start' : i === marks ? 'end' : 'middle';
      svg.append(draw('text', {x: x(at), y: height - 5, 'text-anchor': anchor}, clock(at)));
    }
    const something = spec.empty ? known.some((value) => value > 0) : n > 0;
    if (!something) {
      svg.append(draw('text', {class: 'empty', x: margin.left + this.inner() / 2, y: height / 2},
        n === 0 ? (range === 'minutes' ? 'The first point comes after two minutes' : 'Collecting') : spec.empty));
    } else {
      this.lines(p, n, top, x, y);
    }
    this.cursor(p, n, rows, x, bottom);
  }

  lines(p, n, top, x, y) {
    const {spec, svg} = this;
    // The uppermost first, so that those below lie before it.
    for (let s = spec.series.length - 1; s >= 0; --s) {
      // Of a stack what is nothing all the time would show as the edge of what lies below.
      if (spec.stacked && top[s].every((value, i) => value === (s === 0 ? 0 : top[s - 1][i]))) continue;
      let path = '';
      let begun = null;
      let last = null;
      const pieces = [];
      for (let i = 0; i < n; ++i) {
        if (top[s][i] === null) continue;
        const gap = last !== null && p.at[i] - p.at[last] > 3 * Math.max(p.seconds[i], 1) && spec.stacked;
        const command = last === null || gap ? 'M' : 'L';
        if (command === 'M' && last !== null) pieces.push([path, begun, last]), path = '';
        if (command === 'M') begun = i;
        path += `${command}${x(p.at[i]).toFixed(1)} ${y(top[s][i]).toFixed(1)}`;
        last = i;
      }
      if (last !== null) pieces.push([path, begun, last]);
      for (const [line, from, to] of pieces) {
        const color = `var(--${spec.series[s].color})`;
        if (spec.stacked) {
          const area = draw('path', {class: 'area', d: `${line}L${x(p.at[to])} ${y(0)}L${x(p.at[from])} ${y(0)}Z`});
          area.style.fill = color;
          svg.append(area);
        } else {
          const stroke = draw('path', {class: 'series', d: from === to ? line + 'h1' : line});
          stroke.style.stroke = color;
          svg.append(stroke);
        }
      }
    }
  }

  cursor(p, n, rows, x, bottom) {
    const found = this.at === null ? -1 : p.at.indexOf(this.at);
    const i = found >= 0 ? found : n - 1;
    if (found >= 0)
      this.svg.append(draw('line', {class: 'cursor', x1: x(p.at[i]), x2: x(p.at[i]), y1: margin.top, y2: bottom}));
    this.spec.series.forEach((one, s) => {
      const value = i >= 0 ? rows[s][i] : null;
      this.values[s].textContent = value === null ? 'none' : this.spec.unit(value);
    });
    this.when.textContent = i < 0 ? '' : found >= 0 ? 'at ' + clock(p.at[i], true) : 'now';
  }
}

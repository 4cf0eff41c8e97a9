// Asks the server once a second for what is new and shows it. No library, nothing from outside.

// ---- Tiles and cards

function tile(name, value, more = '') {
  return make('div', {class: 'tile'}, make('dt', {}, name), make('dd', {}, value),
    make('dd', {class: 'more'}, more));
}

function tiles(s) {
  const m = s.last_minute;
  const anything = m.requests > 0;
  byId('tiles').replaceChildren(
    tile('Requests', perSecond(m.requests_per_second), count(s.requests.total) + ' in all'),
    tile('99 % within', anything ? milliseconds(m.p99_ms) : 'none yet',
      anything ? `half within ${milliseconds(m.p50_ms)}` : 'no request in the last minute'),
    tile('Errors (5xx)', anything ? percent(m.errors / m.requests) : 'none',
      `${count(s.requests.by_class['5xx'] || 0)} in all`),
    tile('Connections', count(s.connections.active),
      `${count(s.connections.waiting)} waiting, ${count(s.requests.active)} requests`),
    tile('Sent', bytesPerSecond(m.sent_per_second), bytes(s.bytes.sent) + ' in all'),
    tile('Memory', bytes(s.memory.resident), s.loops > 1 ? `${s.loops} event loops` : 'one event loop'));
}

function card(title, rows, more = []) {
  const list = make('dl');
  for (const [name, value, kind] of rows)
    list.append(make('dt', {}, name), make('dd', kind ? {class: kind} : {}, value));
  return make('section', {class: 'card'}, make('h3', {}, title), list, ...more);
}

function certificate(one) {
  const life = Math.max(1, one.not_after - one.not_before);
  const left = Math.max(0, one.not_after - Date.now() / 1000);
  const late = one.days_left < 0 || left < Math.min(14 * 86400, life / 6) || one.temporary;
  const bar = make('i');
  bar.style.width = Math.min(100, 100 * left / life) + '%';
  const days = one.temporary ? 'temporary' : one.days_left < 0 ? 'expired'
    : `${one.days_left} day${one.days_left === 1 ? '' : 's'} left`;
  const box = make('div', {class: 'certificate'},
    make('p', {}, make('span', {}, one.names), make('span', {class: late ? 'bad' : 'good'}, days)),
    make('div', {class: late ? 'bar late' : 'bar'}, bar),
    make('p', {class: 'quiet'}, make('span', {}, 'until ' + moment(one.not_after)), make('span', {}, one.key)));
  if (one.problem) box.append(make('p', {class: 'bad'}, one.problem));
  return box;
}

function cards(s) {
  const all = [];
  const tls = s.tls.full + s.tls.resumed;
  const certificates = make('section', {class: 'card'}, make('h3', {}, 'Certificates'));
  if (s.certificates.length === 0) certificates.append(make('p', {class: 'quiet'}, 'No certificate is served.'));
  for (const one of [...s.certificates].sort((a, b) => a.not_after - b.not_after))
    certificates.append(certificate(one));
  all.push(certificates);
  if (s.database) {
    all.push(card('Database', [
      [s.database.embedded ? 'embedded PostgreSQL' : 'PostgreSQL', s.database.up ? 'answers' : 'down', s.database.up ? 'good' : 'bad'],
      ['jobs now', count(s.database.jobs)],
      ['jobs done', count(s.database.done)],
      ['jobs that failed', count(s.database.failures)]]));
  }
  if (s.oeis) {
    const words = {closed: ['may be asked', 'good'], open: ['left alone', 'bad'], 'half open': ['one question will show', 'warn']};
    const [word, kind] = words[s.oeis.breaker];
    const rows = [['state', word, kind]];
    if (s.oeis.open_until) rows.push(['until', moment(s.oeis.open_until)]);
    rows.push(['requests', count(s.oeis.requests)], ['waiting', count(s.oeis.waiting)],
      ['failed', count(s.oeis.failures)], ['refused us', count(s.oeis.refusals)]);
    all.push(card('OEIS', rows));
  }
  if (s.factoring) {
    all.push(card('Factoring', [
      ['workers computing', s.factoring.workers === 0 ? 'off' : `${s.factoring.busy} of ${s.factoring.workers}`],
      ['sequences in the queue', count(s.factoring.sequences)],
      ['numbers at work', count(s.factoring.numbers)],
      ['numbers done', count(s.factoring.done)],
      ['workers that died', count(s.factoring.died), s.factoring.died > 0 ? 'warn' : '']]));
  }
  if (s.upstreams.length > 0) {
    all.push(card('Upstreams', s.upstreams.flatMap((one) => [
      [one.name, `${one.usable} of ${one.servers} usable`, one.usable === 0 && one.servers > 0 ? 'bad' : one.usable < one.servers ? 'warn' : 'good'],
      ['requests, failures', `${count(one.requests)}, ${count(one.failures)}`]])));
  }
  const rate = (cache) => (cache.hit_rate === null ? 'not asked yet' : percent(cache.hit_rate));
  const caches = [['files from memory', rate(s.file_cache)],
    ['files held', `${count(s.file_cache.files)}, ${bytes(s.file_cache.memory)}`]];
  if (s.api_cache) caches.push(['API answers from memory', rate(s.api_cache)]);
  all.push(card('Caches', caches));
  all.push(card('TLS handshakes', [
    ['full', count(s.tls.full)],
    ['resumed', tls === 0 ? '0' : `${count(s.tls.resumed)} (${percent(s.tls.resumed / tls)})`],
    ['failed', count(s.tls.failed)]]));
  const last = s.reloads.last;
  const reload = [
    ['configuration', `number ${s.generation}`],
    ['reloads', count(s.reloads.count) + (s.reloads.failed ? `, ${count(s.reloads.failed)} failed` : '')],
    ['last reload', last === null ? 'none yet' : last.good ? 'went well' : 'FAILED', last === null ? '' : last.good ? 'good' : 'bad']];
  if (last !== null) reload.push(['at', moment(last.at)]);
  reload.push(['log lines lost', count(s.log_lines_lost), s.log_lines_lost > 0 ? 'bad' : '']);
  all.push(card('Configuration', reload, [make('p', {class: 'quiet'}, s.configuration)]));
  byId('cards').replaceChildren(...all);
}

let saidProblems = '';
function problems(s) {
  byId('problems').hidden = s.problems.length === 0;
  const said = s.problems.join('\n');
  // Only what changed is read out again.
  if (said !== saidProblems) byId('problem-list').replaceChildren(...s.problems.map((text) => make('li', {}, text)));
  saidProblems = said;
  const n = s.problems.length;
  const pill = byId('health');
  const text = s.state === 'draining' ? 'Going' : n === 0 ? 'Healthy' : n === 1 ? '1 problem' : `${n} problems`;
  if (pill.textContent !== text) pill.textContent = text;
  pill.className = n > 0 || s.state === 'draining' ? 'pill bad' : 'pill';
  document.title = n === 0 ? 'gatescope: healthy' : `(${n}) gatescope: ${text}`;
}

function show(s) {
  byId('version').textContent = `${s.version} (${s.commit})`;
  byId('life').textContent = `up ${duration(s.uptime)}, process ${s.pid}`;
  problems(s);
  tiles(s);
  cards(s);
  for (const one of drawn) one.show();
}

// ---- The line to the server

const pause = 1000;
const longest = 15000;
let failures = 0;
let timer = null;
let asking = false;

function link(text, lost) {
  if (byId('link-text').textContent !== text) byId('link-text').textContent = text;
  byId('retry').hidden = !lost;
  document.body.classList.toggle('lost', lost);
}

async function ask() {
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  try {
    const since = (name) => (points[name] === null ? 0 : points[name].last);
    const answer = await fetch(`?json&seconds=${since('seconds')}&minutes=${since('minutes')}`,
      {cache: 'no-store', credentials: 'same-origin', signal: AbortSignal.timeout(8000)});
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    const status = await answer.json();
    if (started !== null && (started !== status.started || points.pid !== status.pid)) {
      points = {seconds: null, minutes: null};  // another process: its history is asked for anew
      started = null;
      asking = false;
      return ask();
    }
    started = status.started;
    points.pid = status.pid;
    take(status.history);
    failures = 0;
    link('Live, every second', false);
    show(status);
    if (!document.hidden) timer = setTimeout(ask, pause);
  } catch (error) {
    lose(error);
  }
  asking = false;
}

function lose(error) {
  ++failures;
  const wait = Math.min(longest, pause * 2 ** (failures - 1));
  const why = error.message.startsWith('the server') ? `: ${error.message}` : '';
  link(`Connection lost${why}. Trying again in ${Math.round(wait / 1000)} s`, true);
  byId('health').className = 'pill waiting';
  byId('health').textContent = 'Not known';
  document.title = 'gatescope: connection lost';
  timer = setTimeout(ask, wait);
}

let range = 'seconds';
for (const button of byId('ranges').children)
  button.addEventListener('click', () => {
    range = button.dataset.range;
    for (const one of byId('ranges').children) one.setAttribute('aria-pressed', String(one === button));
    for (const one of drawn) one.choose(null);
  });
byId('retry').addEventListener('click', () => {
  failures = 0;
  ask();
});
// A page that nobody sees asks for nothing.
document.addEventListener('visibilitychange', () => {
  clearTimeout(timer);
  if (!document.hidden) ask();
});

const drawn = charts.map((spec) => new Chart(spec));
ask();

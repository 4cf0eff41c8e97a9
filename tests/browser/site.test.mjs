// What a visitor of the sample site must be able to do. Needs a browser and an origin that serves
// static/sample and the API with at least A000040 and A000045; how both came to be is not its matter.

import assert from 'node:assert/strict';
import { horizontalOverflow, lowContrast, unnamedControls } from './page_audit.mjs';
import { DEADLINE_MS, DESKTOP, PHONE, Site, settled, tableRows } from './site.mjs';

const PRIMES = [['1', '2'], ['2', '3'], ['3', '5'], ['4', '7'], ['5', '11'], ['6', '13'], ['7', '17']];
const FIBONACCI = [['0', '0'], ['1', '1'], ['2', '1'], ['3', '2'], ['4', '3'], ['5', '5'], ['6', '8']];

export async function checkSite(checks, { browser, origin, screenshots }) {
  const site = new Site(checks, browser, origin, screenshots);

  await site.check('the page loads over TLS that the browser trusts', '/', DESKTOP, async (page, { response }) => {
    assert.equal(response.status(), 200);
    const security = await response.securityDetails();
    assert.match(security?.protocol ?? 'none', /^TLS 1\.[23]$/);
    assert.equal(await page.evaluate(() => window.isSecureContext), true);
    assert.match(await page.title(), /gatescope/);
    await site.screenshot(page, 'light');
  });

  await site.check('the primes are listed and plotted', '/', DESKTOP, async (page) => {
    assert.deepEqual((await tableRows(page)).slice(0, PRIMES.length), PRIMES);
    const count = Number(await page.getAttribute('#content', 'data-count'));
    assert.ok(count >= 25, `only ${count} terms`);
    assert.equal((await tableRows(page)).length, Math.min(128, count));
    assert.equal(Number(await page.getAttribute('#plot', 'data-points')), count);
    const box = await page.locator('#plot .points').boundingBox();
    assert.ok(box.width > 300 && box.height > 100, `points cover ${box.width} x ${box.height}`);
    assert.match(await page.textContent('#name'), /prime numbers/i);
  });

  await site.check('the report says what happened', '/', DESKTOP, async (page) => {
    const fact = async (key) => (await page.textContent(`[data-fact="${key}"] dd`)).trim();
    assert.equal(await fact('request'), `GET ${origin}/api/get_oeis_name_and_values/A000040`);
    assert.match(await fact('status'), /^200 application\/json/);
    const spoken = await page.evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol);
    assert.equal(await fact('protocol'), `${spoken === 'h2' ? 'HTTP/2' : 'HTTP/1.1'} over TLS`);
    assert.match(await fact('size'), /^[\d.]+ k?B/);
    assert.match(await fact('time'), /^[\d.]+ ms/);
    assert.match(await fact('source'), /^(bfile|oeisdata) /);
    assert.match(await fact('server'), /^gatescope/i);
  });

  await site.check('asking for 128 terms uses the other endpoint', '/', DESKTOP, async (page) => {
    const asked = page.waitForResponse(`${origin}/api/get_oeis_values/A000040/128`, { timeout: DEADLINE_MS });
    await page.selectOption('[name=count]', '128');
    assert.equal((await asked).status(), 200);
    await settled(page, 'ready', 'A000040');
    assert.ok(Number(await page.getAttribute('#content', 'data-count')) <= 128);
  });

  await site.check('a click on Fibonacci shows it, and back returns to the primes', '/', DESKTOP, async (page) => {
    await page.click('#samples a[data-id="A000045"]');
    await settled(page, 'ready', 'A000045');
    assert.deepEqual((await tableRows(page)).slice(0, FIBONACCI.length), FIBONACCI);
    assert.equal(new URL(page.url()).search, '?seq=A000045');
    assert.equal(await page.getAttribute('#plot', 'data-scale'), 'log', 'large terms start on the logarithmic scale');
    await page.goBack();
    await settled(page, 'ready', 'A000040');
    assert.deepEqual((await tableRows(page)).slice(0, PRIMES.length), PRIMES);
  });

  await site.check('the keyboard alone reaches the field, a sequence and a term', '/', DESKTOP, async (page) => {
    await page.focus('#number');
    await page.fill('#number', '45');
    await page.keyboard.press('Enter');
    await settled(page, 'ready', 'A000045');
    await page.focus('#cursor');
    for (let i = 0; i < 10; i += 1) await page.keyboard.press('ArrowRight');
    assert.equal(await page.textContent('#readout'), 'a(10) = 55');
  });

  await site.check('linear and logarithmic scales and the residues draw every term', '/?seq=A000045', DESKTOP, async (page) => {
    const count = await page.getAttribute('#content', 'data-count');
    await page.click('[name=scale][value=linear]');
    assert.equal(await page.getAttribute('#plot', 'data-scale'), 'linear');
    assert.equal(await page.getAttribute('#plot', 'data-points'), count);
    const path = await page.getAttribute('#plot .points', 'd');
    assert.doesNotMatch(path, /NaN|Infinity/);
    await page.click('[name=view][value=residues]');
    await page.fill('[name=modulus]', '3');
    await page.locator('#grid[data-modulus="3"]').waitFor({ timeout: DEADLINE_MS });
    // F(0..3) modulo 3 is 0 1 1 2: equal residues have the same colour, different ones do not.
    const colors = await page.evaluate(cellColors, 4);
    assert.equal(colors[1], colors[2]);
    assert.equal(new Set(colors).size, 3);
    await site.screenshot(page, 'residues');
  });

  await site.check('an unknown sequence is explained kindly', '/?seq=A999999', DESKTOP, async (page) => {
    assert.equal(await page.getAttribute('#content', 'data-state'), 'error');
    assert.equal(await page.getAttribute('#problem', 'data-kind'), 'unknown');
    assert.match(await page.textContent('#name'), /A999999 is not here/);
    assert.match(await page.textContent('#problem-said'), /A999999/);
    assert.equal(await page.isVisible('#picture'), false);
    await site.screenshot(page, 'unknown');
    await page.click('#home');
    await settled(page, 'ready', 'A000040');
    assert.equal(await page.isVisible('#problem'), false);
  });

  await site.check('what is not an A-number is not sent to the server', '/', DESKTOP, async (page, { requests }) => {
    // Not the panels of the page as it was: they ask on their own when they come into sight.
    const asked = () => requests.filter((url) => /\/api\/(get_oeis_(name_and_)?values|search_oeis)\//.test(url)).length;
    const before = asked();
    await page.fill('#number', '<b>pi</b>');
    await page.click('#ask button');
    await settled(page, 'error');
    assert.equal(await page.getAttribute('#problem', 'data-kind'), 'malformed');
    assert.equal(await page.locator('#problem b').count(), 0, 'the text is shown, not interpreted');
    assert.equal(asked(), before);
  });

  // The server is not busy on demand, so the answer is put in its place; the page is the one under test.
  await site.check('a busy server is named, with its delay and a retry', '/', DESKTOP, async (page, { expectError }) => {
    expectError(/status of 503/);
    const api = `${origin}/api/**`;
    await page.route(api, (route) => route.fulfill({ status: 503, headers: { 'Retry-After': '7' }, contentType: 'text/plain', body: 'busy' }));
    await page.click('#samples a[data-id="A000045"]');
    await settled(page, 'error');
    assert.match(await page.textContent('#problem-text'), /wait 7 seconds/);
    await page.unroute(api);
    await page.click('#retry');
    await settled(page, 'ready', 'A000045');
  });

  await site.check('a lost connection is named, with a retry', '/', DESKTOP, async (page, { expectError }) => {
    expectError(/ERR_CONNECTION_RESET/);
    const api = `${origin}/api/**`;
    await page.route(api, (route) => route.abort('connectionreset'));
    await page.click('#samples a[data-id="A000045"]');
    await settled(page, 'error');
    assert.equal(await page.getAttribute('#problem', 'data-kind'), 'unreachable');
    await page.unroute(api);
    await page.click('#retry');
    await settled(page, 'ready', 'A000045');
  });

  await site.check('a deep link works and keeps its path', '/gallery?seq=A000045', DESKTOP, async (page, { response }) => {
    assert.equal(response.status(), 200);
    assert.deepEqual((await tableRows(page)).slice(0, FIBONACCI.length), FIBONACCI);
    await page.click('#samples a[data-id="A000040"]');
    await settled(page, 'ready', 'A000040');
    assert.equal(new URL(page.url()).pathname, '/gallery');
  });

  await site.check('a missing asset is 404, not the index', '/', DESKTOP, async (page, { expectError }) => {
    expectError(/status of 404/);
    const status = await page.evaluate(async () => (await fetch('/assets/gone.js')).status);
    assert.equal(status, 404);
  });

  for (const [name, options] of [
    ['dark', { ...DESKTOP, colorScheme: 'dark' }],
    ['phone', PHONE],
    ['phone-dark', { ...PHONE, colorScheme: 'dark' }],
    ['small-phone', { ...PHONE, viewport: { width: 320, height: 640 } }],
    ['tablet', { viewport: { width: 820, height: 1180 } }],
  ]) {
    await site.check(`${name}: nothing overflows, all text is readable, all controls are named`, '/?seq=A000045', options, async (page) => {
      const dark = options.colorScheme === 'dark';
      const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const brightness = paper.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
      assert.equal(brightness < 128, dark, `background ${paper}`);
      // The longest term too: it is the one that would push the page apart.
      await page.locator('#cursor').evaluate((cursor) => {
        cursor.value = cursor.max;
        cursor.dispatchEvent(new Event('input'));
      });
      assert.deepEqual(await horizontalOverflow(page), []);
      assert.deepEqual(await lowContrast(page), []);
      assert.deepEqual(await unnamedControls(page), []);
      await site.screenshot(page, name);
    });
  }
}

/** Runs inside the page: the colours at the centres of the first cells of the residue picture. */
function cellColors(count) {
  const grid = document.getElementById('grid');
  const columns = Number(/(\d+) in a row/.exec(grid.getAttribute('aria-label'))[1]);
  const cell = grid.width / columns;
  // Below the middle and off the left edge: the marked first cell has a border in another colour.
  return Array.from({ length: count }, (_, i) =>
    grid.getContext('2d').getImageData(Math.floor((i + 0.5) * cell), Math.floor(cell / 2), 1, 1).data.join());
}

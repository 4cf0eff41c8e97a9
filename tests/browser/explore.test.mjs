// Finding one's way on the sample site: search, factors, cross references. Where the server would have to
// be slow, busy or half finished, its answer is put in place.

import assert from 'node:assert/strict';
import { horizontalOverflow, lowContrast, unnamedControls } from './page_audit.mjs';
import { DESKTOP, PHONE, Site, settled } from './site.mjs';

// So low that the table of terms begins out of sight.
const LOW = { viewport: { width: 1360, height: 560 } };
const BOTH = [['A000045', 'Fibonacci numbers'], ['A000032', 'Lucas numbers']];

export async function checkExploring(checks, { browser, origin, screenshots }) {
  const site = new Site(checks, browser, origin, screenshots);
  await checkSearch(site);
  await checkFactors(site);
  await checkReferences(site);
  await checkLooks(site);
}

async function checkSearch(site) {
  await site.check('search finds while one types, and the keyboard goes through the results', '/', DESKTOP, async (page) => {
    await page.locator('#term').pressSequentially('numbers');
    await found(page, 'numbers');
    const ids = await page.$$eval('#found li', (options) => options.map((option) => option.dataset.id));
    assert.deepEqual([...ids].sort(), ['A000032', 'A000040', 'A000045']);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    assert.deepEqual(await selected(page), [ids[1]]);
    assert.equal(await page.getAttribute('#term', 'aria-activedescendant'), 'found-1');
    await page.keyboard.press('ArrowUp');
    assert.deepEqual(await selected(page), [ids[0]]);
    await page.keyboard.press('ArrowUp');
    assert.deepEqual(await selected(page), [], 'back in the field, nothing is chosen');
    await page.keyboard.press('ArrowUp');
    assert.deepEqual(await selected(page), [ids[2]], 'and from there to the end');
    await page.keyboard.press('Enter');
    await settled(page, 'ready', ids[2]);
    assert.equal(await page.isVisible('.popup'), false);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
  });

  await site.check('search knows numbers and terms, and Enter takes the best', '/', DESKTOP, async (page) => {
    await page.fill('#term', '1, 2, 3, 5, 8, 13');
    await page.keyboard.press('Enter');  // perhaps before the answer: it is then waited for
    await settled(page, 'ready', 'A000045');
    await page.fill('#term', 'a32');
    await page.press('#term', 'Enter');
    await settled(page, 'ready', 'A000032');
  });

  await site.check('a click takes a result, Escape closes the list', '/', DESKTOP, async (page) => {
    await page.fill('#term', 'lucas');
    await found(page, 'lucas');
    assert.equal(await page.getAttribute('#term', 'aria-expanded'), 'true');
    await page.keyboard.press('Escape');
    assert.equal(await page.isVisible('.popup'), false);
    assert.equal(await page.getAttribute('#term', 'aria-expanded'), 'false');
    assert.equal(await page.inputValue('#term'), 'lucas');
    await page.keyboard.press('ArrowDown');
    assert.equal(await page.isVisible('.popup'), true, 'and an arrow opens it again');
    await page.click('#found [data-id="A000032"]');
    await settled(page, 'ready', 'A000032');
  });

  await site.check('search says when it finds nothing', '/', DESKTOP, async (page) => {
    await page.fill('#term', '<i>qwzzx</i>');
    await found(page, '<i>qwzzx</i>');
    assert.match(await page.textContent('.note'), /Nothing found for “<i>qwzzx<\/i>”/);
    assert.equal(await page.locator('.note i').count(), 0, 'the term is shown, not interpreted');
    assert.equal(await page.locator('#found li').count(), 0);
    await page.fill('#term', '..');  // no address can say it
    await found(page, '..');
    assert.match(await page.textContent('.note'), /Nothing found/);
    await page.fill('#term', '');
    assert.equal(await page.isVisible('.popup'), false);
  });

  await site.check('a late answer never takes the place of a newer one', '/', DESKTOP, async (page) => {
    const held = gate();
    await page.route(search('fi'), async (route) => {
      await held.opened;
      await route.fulfill(results('fi', [['A000040', 'too late']])).catch(() => {});  // nobody listens any more
    });
    await page.route(search('fib'), (route) => route.fulfill(results('fib', BOTH)));
    const first = page.waitForRequest(search('fi'));
    await page.fill('#term', 'fi');
    await first;
    const givenUp = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/fi'));
    await page.fill('#term', 'fib');
    await found(page, 'fib');
    await givenUp;
    held.open();
    await page.fill('#term', 'fib ');
    assert.deepEqual(await page.$$eval('#found small', (ids) => ids.map((id) => id.textContent)), BOTH.map(([id]) => id));
  });

  await site.check('while an answer is awaited nothing of the one before can be taken', '/', DESKTOP, async (page) => {
    const held = gate();
    await page.route(search('f'), (route) => route.fulfill(results('f', BOTH)));
    await page.route(search('fx'), async (route) => {
      await held.opened;
      await route.fulfill(results('fx', [BOTH[1]]));
    });
    await page.fill('#term', 'f');
    await found(page, 'f');
    await page.keyboard.press('ArrowDown');
    const next = page.waitForRequest(search('fx'));
    await page.fill('#term', 'fx');
    await next;
    assert.equal(await page.getAttribute('#found', 'aria-busy'), 'true');
    assert.deepEqual(await selected(page), []);
    await page.keyboard.press('ArrowDown');
    assert.deepEqual(await selected(page), []);
    await page.locator('#found li').first().dispatchEvent('click');
    await page.keyboard.press('Enter');
    assert.equal(new URL(page.url()).search, '', 'nothing was taken');
    held.open();
    await settled(page, 'ready', 'A000032');
  });

  await site.check('a busy search is named, and the same term may be tried again', '/', DESKTOP, async (page, { expectError }) => {
    expectError(/status of 503/);
    await page.route(search('lucas'), (route) => route.fulfill({ status: 503, headers: { 'Retry-After': '1' }, contentType: 'text/plain', body: 'busy' }));
    await page.fill('#term', 'lucas');
    await page.locator('#search[data-state="error"]').waitFor();
    assert.match(await page.textContent('.note'), /server is busy.*one second/);
    await page.unroute(search('lucas'));
    await page.keyboard.press('Enter');
    await found(page, 'lucas');
    assert.equal(await page.locator('#found li').count(), 1);
  });
}

async function checkFactors(site) {
  await site.check('factors are asked for when the table is reached, and not before', '/?seq=A000045', LOW, async (page, { requests }) => {
    const asked = () => requests.filter((url) => url.includes('/get_oeis_factors/'));
    await page.locator('#references[data-state="ready"]').waitFor();  // the panel beside it has had its turn
    assert.deepEqual(asked(), []);
    await page.locator('#terms').scrollIntoViewIfNeeded();
    await page.locator('#terms[data-state="ready"]').waitFor();
    assert.equal(asked().length, 1);
    const cells = await factorCells(page);
    assert.deepEqual(cells.slice(0, 9), ['0', '1', '1', 'prime', 'prime', 'prime', '2^3', 'prime', '3 · 7']);
    assert.equal(cells[20], '3 · 5 · 11 · 41');
    assert.equal(cells.length, 80);
  });

  await site.check('what is not factored yet says so, and is asked for again', '/?seq=A000045', DESKTOP, async (page) => {
    const some = { 0: '[0, 1]', 1: '[]', 2: 'no_fac_yet', 3: '[2,1]', 4: 'no_fac', 5: '[2,3;3,1;-1,1]', 6: '[-1, 1; 2, 65]', 7: '[-1,1]' };
    let turn = 0;
    await page.route('**/api/get_oeis_factors/**', (route) => {
      turn += 1;
      const rest = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [i, '[13,1]']));
      return route.fulfill(json({ id: 'A000045', name: 'x', factors: { ...rest, ...some, ...(turn > 1 ? { 2: '[2,1;3,1]' } : {}) } }));
    });
    await page.reload();
    await page.locator('#terms').scrollIntoViewIfNeeded();
    await page.locator('#terms[data-state="partial"]').waitFor();
    assert.deepEqual((await factorCells(page)).slice(0, 9), ['0', '1', 'not yet', 'prime', 'too large', '−1 · 2^3 · 3', '−1 · 2^65', '−1', 'prime']);
    assert.match(await page.textContent('#terms [data-note]'), /^One is not factored yet/);
    await page.click('#terms [data-again]');
    await page.locator('#terms[data-state="ready"]').waitFor();
    assert.equal((await factorCells(page))[2], '2 · 3');
    assert.equal(await page.isVisible('#terms [data-again]'), false);
  });

  await site.check('factors that cannot be had leave the terms as they are', '/', DESKTOP, async (page, { expectError }) => {
    expectError(/ERR_CONNECTION_RESET/);
    await page.route('**/api/get_oeis_factors/**', (route) => route.abort('connectionreset'));
    await page.click('#samples a[data-id="A000045"]');
    await settled(page, 'ready', 'A000045');
    await page.locator('#terms').scrollIntoViewIfNeeded();
    await page.locator('#terms[data-state="error"]').waitFor();
    assert.match(await page.textContent('#terms [data-note]'), /cannot be reached/);
    assert.equal(await page.getAttribute('#content', 'data-state'), 'ready');
    await page.unroute('**/api/get_oeis_factors/**');
    await page.click('#terms [data-again]');
    await page.locator('#terms[data-state="ready"]').waitFor();
  });
}

async function checkReferences(site) {
  await site.check('one can walk along the cross references, and back, and forward', '/', DESKTOP, async (page) => {
    await references(page);
    await page.click('.xrefs a[data-id="A000045"]');
    await settled(page, 'ready', 'A000045');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
    await references(page);
    assert.match(await page.textContent('.xrefs'), /Cf\. A000032 \(same rule\), A000040\./);
    assert.deepEqual(await backrefs(page), ['A000032', 'A000040']);
    assert.equal(await page.textContent('.count'), '2');
    await page.click('.backrefs a[data-id="A000032"]');
    await settled(page, 'ready', 'A000032');
    await page.goBack();
    await settled(page, 'ready', 'A000045');
    await page.goBack();
    await settled(page, 'ready', 'A000040');
    await references(page);
    assert.deepEqual(await backrefs(page), ['A000045']);
    await page.goForward();
    await settled(page, 'ready', 'A000045');
    await references(page);
    assert.deepEqual(await backrefs(page), ['A000032', 'A000040']);
  });

  await site.check('thousands of references do not bury the page, and their text is not interpreted', '/', DESKTOP, async (page) => {
    const many = Array.from({ length: 1234 }, (_, i) => `A${String(i + 1).padStart(6, '0')}`);
    const xrefs = 'Cf. A000045, XA000041, A0000411 <b>bold</b>.\nSee also A000032.';
    await page.route('**/api/get_oeis_metadata/A000032', (route) => route.fulfill(json({ id: 'A000032', name: 'x', xrefs, backrefs: many })));
    await walk(page, 'A000032');
    await references(page);
    assert.equal(await page.textContent('.count'), '1,234');
    assert.equal((await backrefs(page)).length, 24);
    assert.equal(await page.textContent('.xrefs'), xrefs);
    assert.deepEqual(await page.$$eval('.xrefs a', (links) => links.map((link) => link.textContent)), ['A000045', 'A000032']);
    await page.click('text=Show all 1,234');
    assert.deepEqual(await backrefs(page), many);
    assert.equal(await page.evaluate(() => document.activeElement.dataset.id), many[24], 'the keyboard goes on with the next');
    assert.deepEqual(await horizontalOverflow(page), []);
  });

  await site.check('a sequence without references, and a server that will not say', '/', DESKTOP, async (page, { expectError }) => {
    expectError(/status of 503/);
    const metadata = '**/api/get_oeis_metadata/**';
    await page.route(metadata, (route) => route.fulfill(json({ id: 'A000032', name: 'x', xrefs: '', backrefs: [] })));
    await walk(page, 'A000032');
    await references(page);
    assert.match(await page.textContent('#references'), /No other sequence/);
    await page.unroute(metadata);
    await page.route(metadata, (route) => route.fulfill({ status: 503, contentType: 'text/plain', body: 'busy' }));
    await walk(page, 'A000045');
    await page.locator('#references[data-state="error"]').waitFor();
    assert.equal(await page.isVisible('#references .none'), false, 'nothing of the sequence before is left');
    await page.unroute(metadata);
    await page.click('#references [data-again]');
    await references(page);
    assert.deepEqual(await backrefs(page), ['A000032', 'A000040']);
  });
}

async function checkLooks(site) {
  for (const [name, options] of [
    ['search', DESKTOP],
    ['search-dark', { ...DESKTOP, colorScheme: 'dark' }],
    ['search-phone', PHONE],
    ['search-small-phone-dark', { ...PHONE, viewport: { width: 320, height: 640 }, colorScheme: 'dark' }],
  ]) {
    await site.check(`${name}: the open list fits and can be read`, '/', options, async (page) => {
      await page.fill('#term', 'numbers');
      await found(page, 'numbers');
      await page.keyboard.press('ArrowDown');
      assert.deepEqual(await horizontalOverflow(page), []);
      assert.deepEqual(await lowContrast(page), []);
      assert.deepEqual(await unnamedControls(page), []);
      await site.screenshot(page, name, false);
    });
  }
}

// ---- the page as these checks use it ----------------------------------------------------------------

/** Waits until what is shown belongs to `term`. */
const found = (page, term) => page.locator(`#search[data-state="ready"][data-term="${term}"] .popup:not([hidden])`).waitFor();
const selected = (page) => page.$$eval('#found [aria-selected="true"]', (options) => options.map((option) => option.dataset.id));

const references = async (page) => {
  await page.locator('#references').scrollIntoViewIfNeeded();
  await page.locator('#references[data-state="ready"]').waitFor();
};
const backrefs = (page) => page.$$eval('.backrefs a', (links) => links.map((link) => link.textContent));

/** With exponents as 2^3: textContent alone would say 23. */
const factorCells = (page) => page.$$eval('#rows .factors', (cells) => cells.map((cell) =>
  [...cell.childNodes].map((node) => (node.nodeName === 'SUP' ? `^${node.textContent}` : node.textContent)).join('').replaceAll('\u00a0', ' ')));

async function walk(page, id) {
  await page.fill('#number', id);
  await page.press('#number', 'Enter');
  await settled(page, 'ready', id);
}

const search = (term) => `**/api/search_oeis/${term}`;
const json = (body) => ({ contentType: 'application/json', body: JSON.stringify(body) });
const results = (term, found) => json({ results: found, term });

/** Something to wait for, and the hand that ends the wait. */
function gate() {
  let open;
  const opened = new Promise((resolve) => { open = resolve; });
  return { opened, open };
}

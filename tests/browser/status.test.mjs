// What an operator must see on the status page of a server that runs.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { horizontalOverflow, lowContrast, unnamedControls } from './page_audit.mjs';
import { DEADLINE_MS, DESKTOP, PHONE } from './site.mjs';

const PAGE = '/status';

export async function checkStatus(checks, { browser, origin, screenshots, server }) {
  if (screenshots) fs.mkdirSync(screenshots, { recursive: true });

  const check = (name, options, body) => checks.check(`status page: ${name}`, async () => {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(DEADLINE_MS);
    try {
      const page = await context.newPage();
      const trouble = [];
      const requests = [];
      const expected = [];
      page.on('console', (message) => { if (message.type() === 'error') trouble.push(message.text()); });
      page.on('pageerror', (error) => trouble.push(String(error)));
      page.on('request', (request) => requests.push(request.url()));
      const response = await page.goto(origin + PAGE);
      await page.getByText('Live, every second').waitFor();
      await body(page, { response, expectError: (pattern) => expected.push(pattern) });
      assert.deepEqual(trouble.filter((text) => !expected.some((pattern) => pattern.test(text))), [], 'console errors');
      const outside = requests.filter((url) => !url.startsWith(origin + PAGE) && !url.startsWith('data:'));
      assert.deepEqual(outside.filter((url) => !url.startsWith(origin)), [], 'requests to elsewhere');
    } finally {
      await context.close();
    }
  });
  const screenshot = async (page, name) => {
    if (screenshots) await page.screenshot({ path: path.join(screenshots, `status-${name}.png`), fullPage: true });
  };
  const tile = (page, name) => page.locator('.tile', { has: page.locator('dt', { hasText: name }) }).locator('dd').first();
  /** So that charts have something to draw. */
  const visit = (page) => page.evaluate(async () => {
    for (let i = 0; i < 40; i += 1) {
      const what = i % 10 === 9 ? '/assets/gone.js' : i % 2 === 0 ? '/assets/app.js' : '/api/get_oeis_values/A000045/20';
      await fetch(what, { cache: 'no-store' });
    }
  });

  await check('it says that all is well, of what, and for how long', DESKTOP, async (page, { response }) => {
    assert.equal(response.status(), 200);
    assert.match(response.headers()['content-security-policy'], /default-src 'none'/);
    assert.equal(await page.textContent('#health'), 'Healthy');
    assert.match(await page.title(), /gatescope: healthy/);
    assert.match(await page.textContent('#life'), /^up \d/);
    assert.equal(await page.isVisible('#problems'), false);
    assert.match(await page.textContent('#cards'), /scope\.test/);
    assert.match(await page.textContent('#cards'), /days? left/);
    assert.match(await page.textContent('#cards'), /embedded PostgreSQLanswers/);
    assert.match(await page.textContent('footer'), /OEIS Foundation/);
  });

  await check('numbers and charts go on without a reload', DESKTOP, async (page, { expectError }) => {
    expectError(/status of 404/);
    const total = async () => Number((await page.textContent('.tile .more')).replace(/\D/g, ''));
    const before = await total();
    await visit(page);
    await page.waitForFunction((least) => Number(document.querySelector('.tile .more').textContent.replace(/\D/g, '')) >= least, before + 40);
    await page.locator('#charts figure').first().locator('path.area').first().waitFor({ state: 'attached' });
    for (const path of await page.locator('#charts path').all()) assert.doesNotMatch(await path.getAttribute('d'), /NaN|Infinity|undefined/);
    assert.match(await tile(page, '99 % within').textContent(), /ms|s$/);
    await screenshot(page, 'light');
  });

  await check('the keyboard walks along a chart, and the value under it is said', DESKTOP, async (page) => {
    await page.waitForFunction(() => points.seconds.at.length >= 3);
    const chart = page.locator('#charts figure').nth(3);
    await chart.locator('svg').focus();
    await page.keyboard.press('ArrowLeft');
    assert.match(await chart.locator('.when').textContent(), /^at \d\d:\d\d:\d\d$/);
    assert.equal(await chart.locator('line.cursor').count(), 1);
    await page.keyboard.press('Escape');
    assert.equal(await chart.locator('.when').textContent(), 'now');
  });

  await check('a day can be shown instead of ten minutes, and says when it has nothing yet', DESKTOP, async (page) => {
    await page.getByRole('button', { name: '24 hours' }).click();
    assert.equal(await page.getByRole('button', { name: '24 hours' }).getAttribute('aria-pressed'), 'true');
    const said = await page.locator('#charts figure').nth(5).locator('svg').textContent();
    assert.ok(/after two minutes/.test(said) || await page.locator('#charts figure').nth(5).locator('path').count() > 0, said);
  });

  await check('a lost connection is said, tried again with longer pauses, and mended', DESKTOP, async (page, { expectError }) => {
    expectError(/ERR_CONNECTION_RESET/);
    let asked = 0;
    await page.route('**/status?json*', (route) => { asked += 1; return route.abort('connectionreset'); });
    await page.getByText(/Connection lost\. Trying again in 2 s/).waitFor();
    assert.equal(await page.textContent('#health'), 'Not known');
    assert.match(await page.title(), /connection lost/);
    assert.equal(await page.evaluate(() => document.body.classList.contains('lost')), true);
    assert.ok(asked >= 2);
    await screenshot(page, 'lost');
    await page.unroute('**/status?json*');
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.getByText('Live, every second').waitFor();
    assert.equal(await page.textContent('#health'), 'Healthy');
    assert.equal(await page.isVisible('#retry'), false);
  });

  await check('a refusal of the server is told apart from a lost connection', DESKTOP, async (page, { expectError }) => {
    expectError(/status of 403/);
    await page.route('**/status?json*', (route) => route.fulfill({ status: 403, body: 'no' }));
    await page.getByText(/the server answers 403/).waitFor();
  });

  await check('a reload that fails is shown at once, and gone when one goes well', DESKTOP, async (page) => {
    server.reload('nonsense;');
    await page.locator('#problem-list li', { hasText: 'nonsense' }).waitFor();
    assert.equal(await page.textContent('#health'), '1 problem');
    assert.match(await page.title(), /^\(1\)/);
    assert.deepEqual(await lowContrast(page), []);
    await screenshot(page, 'problem');
    server.reload();
    await page.getByText('Healthy', { exact: true }).waitFor();
    assert.equal(await page.isVisible('#problems'), false);
  });

  for (const [name, options] of [
    ['light-desktop', DESKTOP],
    ['dark', { ...DESKTOP, colorScheme: 'dark' }],
    ['phone', PHONE],
    ['phone-dark', { ...PHONE, colorScheme: 'dark' }],
    ['small-phone', { ...PHONE, viewport: { width: 320, height: 640 } }],
    ['calm', { ...DESKTOP, reducedMotion: 'reduce' }],
  ]) {
    await check(`${name}: nothing overflows, all text is readable, all controls are named`, options, async (page, { expectError }) => {
      expectError(/status of 404/);
      await visit(page);
      await page.waitForFunction(() => points.seconds.at.length >= 2);
      assert.deepEqual(await horizontalOverflow(page), []);
      assert.deepEqual(await lowContrast(page), []);
      assert.deepEqual(await unnamedControls(page), []);
      const dark = options.colorScheme === 'dark';
      const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const brightness = ground.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
      assert.equal(brightness < 128, dark, `background ${ground}`);
      const unnamed = await page.evaluate(() => [...document.querySelectorAll('svg')]
        .filter((svg) => !document.getElementById(svg.getAttribute('aria-labelledby'))?.textContent.trim()).length);
      assert.equal(unnamed, 0, 'charts without a name');
      const moves = await page.evaluate(() => [...document.querySelectorAll('.bar i')]
        .some((bar) => getComputedStyle(bar).transitionDuration !== '0s'));
      if (options.reducedMotion === 'reduce') assert.equal(moves, false);
      await screenshot(page, name);
    });
  }
}

// The sample site as a check sees it: opened fresh, watched for errors, photographed.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

export const DEADLINE_MS = 15_000;
export const DESKTOP = { viewport: { width: 1360, height: 900 } };
export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

export class Site {
  constructor(checks, browser, origin, screenshots) {
    Object.assign(this, { checks, browser, origin, screenshots });
    if (screenshots) fs.mkdirSync(screenshots, { recursive: true });
  }

  /** Opens `address` in a fresh context, waits until the page has an answer, and runs `body`. */
  check(name, address, options, body) {
    return this.checks.check(name, async () => {
      const context = await this.browser.newContext(options);
      context.setDefaultTimeout(DEADLINE_MS);
      try {
        const page = await context.newPage();
        const trouble = [];
        const requests = [];
        const expected = [];
        page.on('console', (message) => { if (message.type() === 'error') trouble.push(message.text()); });
        page.on('pageerror', (error) => trouble.push(String(error)));
        page.on('request', (request) => requests.push(request.url()));
        const response = await page.goto(this.origin + address);
        await settled(page);
        await body(page, { response, requests, expectError: (pattern) => expected.push(pattern) });
        assert.deepEqual(trouble.filter((text) => !expected.some((pattern) => pattern.test(text))), [], 'console errors');
        for (const pattern of expected) assert.ok(trouble.some((text) => pattern.test(text)), `no console error like ${pattern}`);
        assert.deepEqual(requests.filter((url) => !url.startsWith(`${this.origin}/`)), [], 'requests to elsewhere');
      } finally {
        await context.close();
      }
    });
  }

  async screenshot(page, name, fullPage = true) {
    if (!this.screenshots) return;
    await page.screenshot({ path: path.join(this.screenshots, `site-${name}.png`), fullPage });
  }
}

/** Waits until the page shows an answer: in `state`, about `id`, when these are given. */
export async function settled(page, state, id) {
  await page.waitForFunction(([wantedState, wantedId]) => {
    const now = document.getElementById('content')?.dataset.state;
    const shown = document.getElementById('oeis-link')?.textContent;
    return now !== undefined && now !== 'loading' && (!wantedState || now === wantedState) && (!wantedId || shown === wantedId);
  }, [state, id], { timeout: DEADLINE_MS });
}

/** Index and value of every row, without the factors. */
export const tableRows = (page) => page.$$eval('#rows tr', (rows) => rows.map((row) => [...row.cells].slice(0, 2).map((cell) => cell.textContent)));

// WebSockets through the proxy: they work over TLS, a reload leaves them alone, and one that was opened
// under a worker_shutdown_timeout ends so long after it.

import assert from 'node:assert/strict';
import { DEADLINE_MS } from './site.mjs';

export async function checkWebSocket(checks, { browser, origin, server }) {
  await checks.check('a WebSocket stays open over reloads, and worker_shutdown_timeout ends one', async () => {
    const context = await browser.newContext();
    context.setDefaultTimeout(DEADLINE_MS);
    try {
      const page = await context.newPage();
      await page.goto(`${origin}/`);
      const echo = `${origin.replace('https:', 'wss:')}/echo`;
      await page.evaluate(openSocket, ['lasting', echo]);
      assert.equal(await page.evaluate(say, ['lasting', 'before']), 'before');
      const large = 'x'.repeat(300_000);
      assert.ok(await page.evaluate(say, ['lasting', large]) === large, 'a large message comes back as it went');

      server.reload('worker_shutdown_timeout 5s;');
      await reloaded(page, server.generation);
      assert.equal(await page.evaluate(say, ['lasting', 'after']), 'after');
      await page.evaluate(openSocket, ['limited', echo]);
      assert.equal(await page.evaluate(say, ['limited', 'here']), 'here');

      server.reload();
      await reloaded(page, server.generation);
      assert.equal(await page.evaluate(say, ['limited', 'still here']), 'still here');
      await page.waitForFunction(() => window.ends.limited !== undefined);
      assert.equal(await page.evaluate(() => window.ends.limited), 1006);
      assert.equal(await page.evaluate(say, ['lasting', 'at last']), 'at last');
    } finally {
      await context.close();
    }
  });
}

/** The page is answered by that configuration. */
async function reloaded(page, generation) {
  const until = Date.now() + DEADLINE_MS;
  const seen = () => page.evaluate(async () => (await fetch('/generation')).text());
  while (await seen() !== String(generation)) assert.ok(Date.now() < until, 'the new configuration does not serve');
}

/** Inside the page. */
function openSocket([name, url]) {
  window.sockets ??= {};
  window.ends ??= {};  // the code of each that has ended
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    window.sockets[name] = socket;
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error('no connection'));
    socket.onclose = ({ code }) => { window.ends[name] = code; };
  });
}

/** Inside the page: what comes back. */
function say([name, text]) {
  return new Promise((resolve, reject) => {
    const socket = window.sockets[name];
    socket.onmessage = ({ data }) => resolve(data);
    socket.addEventListener('close', () => reject(new Error('it was closed before it answered')), { once: true });
    if (socket.readyState !== WebSocket.OPEN) reject(new Error('it is closed'));
    socket.send(text);
  });
}

// The whole chain: a real gatescope, a certificate it made itself, a browser that trusts only that.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Checks } from './checks.mjs';
import { launchChromium } from './chromium.mjs';
import { startEcho } from './echo.mjs';
import { checkExploring } from './explore.test.mjs';
import { startGatescope } from './gatescope.mjs';
import { startOeis, writeOeisData } from './oeis.mjs';
import { checkSite } from './site.test.mjs';
import { checkStatus } from './status.test.mjs';
import { checkWebSocket } from './websocket.test.mjs';

const NAME = 'scope.test';
const SITE = fileURLToPath(new URL('../../static/sample', import.meta.url));

const { values, positionals } = parseArgs({ allowPositionals: true, options: { screenshots: { type: 'string' } } });
if (positionals.length !== 1) {
  console.error('usage: run BINARY [--screenshots DIR]');
  process.exit(2);
}
const binary = path.resolve(positionals[0]);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatescope-browser-'));
// Started as root, gatescope and its database run as another user, who has to get through here.
fs.chmodSync(folder, 0o755);
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'gatescope-home-'));

const checks = new Checks();
const cleanups = [];
async function cleanUp() {
  while (cleanups.length > 0) await cleanups.pop()();
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => cleanUp().finally(() => process.exit(1)));
}
cleanups.push(() => [folder, home].forEach((each) => fs.rmSync(each, { recursive: true, force: true })));

try {
  const oeisData = path.join(folder, 'oeisdata');
  writeOeisData(oeisData);
  const oeis = await startOeis();
  cleanups.push(oeis.stop);
  const echo = await startEcho();
  cleanups.push(echo.stop);
  const server = await startGatescope({ binary, folder, site: SITE, oeis: oeis.url, oeisData, name: NAME, echo: echo.port });
  cleanups.push(() => server.stop());
  const browser = await launchChromium({ home, ca: server.ca, name: NAME });
  cleanups.push(() => browser.close());

  const where = { browser, origin: server.origin, screenshots: values.screenshots };
  await checkSite(checks, where);
  await checkExploring(checks, where);
  await checkWebSocket(checks, { ...where, server });
  await checkStatus(checks, { ...where, server });
  await browser.close();
  await checks.check('gatescope ends by itself when asked to', async () => assert.equal(await server.stop(), 0));
  if (checks.failed > 0) console.log(server.logs());
} catch (error) {
  await checks.check('the test can be set up', () => { throw error; });
} finally {
  await cleanUp();
}
process.exitCode = checks.summary();

// A Chromium that trusts one certificate authority, in a home folder of its own: nobody's real
// certificate database is touched, and a wrong chain is a failed page load as it is for a visitor.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

/** @param home an empty folder; @param name the host name that means 127.0.0.1 inside this browser. */
export async function launchChromium({ home, ca, name }) {
  const database = path.join(home, '.pki', 'nssdb');
  fs.mkdirSync(database, { recursive: true });
  certutil('-N', '-d', `sql:${database}`, '--empty-password');
  certutil('-A', '-d', `sql:${database}`, '-n', 'gatescope test authority', '-t', 'C,,', '-i', ca);

  const env = { ...process.env, HOME: home };
  // These would lead Chromium out of the home folder again.
  for (const key of Object.keys(env)) if (key.startsWith('XDG_')) delete env[key];
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    env,
    args: [
      // Chromium refuses its sandbox to root.
      ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
      `--host-resolver-rules=MAP ${name} 127.0.0.1`,
      '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run',
      '--disable-gpu', '--disable-dev-shm-usage',
    ],
  });
}

function certutil(...args) {
  try {
    execFileSync('certutil', args, { stdio: 'pipe' });
  } catch (error) {
    throw new Error(error.code === 'ENOENT' ? 'certutil is missing: apt-get install libnss3-tools'
      : `certutil ${args.join(' ')}: ${error.stderr}`);
  }
}

// One gatescope in a folder of its own: started, asked until it answers, stopped.

import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';

const START_DEADLINE_MS = 60_000;  // includes initdb of the embedded database under sanitizers
const STOP_DEADLINE_MS = 15_000;

/** @param folder empty, and enterable by the worker's user; @param echo the port of a server for /echo. */
export async function startGatescope({ binary, folder, site, oeis, oeisData, name, echo }) {
  fs.mkdirSync(path.join(folder, 'logs'));
  fs.cpSync(site, path.join(folder, 'html'), { recursive: true });
  execFileSync(binary, ['cert', 'dev', '--dir', folder, '--name', name], { stdio: 'pipe' });
  const ca = path.join(folder, 'ca.pem');

  let port = 443;
  const conf = path.join(folder, 'gatescope.conf');
  const configure = (generation, more) => fs.writeFileSync(conf, configuration({ port, oeis, oeisData, name, echo, generation, more }));
  configure(1, '');
  // Search and cross references know what is imported.
  execFileSync(binary, ['-p', folder, '-c', conf, 'oeis', 'import', '-q', oeisData], { stdio: 'pipe' });
  port = await freePort();  // only now: nothing holds it until the server has it
  configure(1, '');
  const output = fs.openSync(path.join(folder, 'output.log'), 'w');
  const child = spawn(binary, ['-p', folder, '-c', conf], { stdio: ['ignore', output, output] });
  fs.closeSync(output);
  const server = new Server(child, folder, configure);
  try {
    await server.answers({ port, name, ca: fs.readFileSync(ca) });
  } catch (error) {
    await server.stop();
    throw new Error(`${error.message}\n${server.logs()}`);
  }
  return Object.assign(server, { origin: `https://${name}:${port}`, ca });
}

class Server {
  constructor(child, folder, configure) {
    this.child = child;
    this.configure = configure;
    this.generation = 1;
    this.folder = folder;
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? code));
      child.once('error', (error) => resolve(error.message));
    });
  }

  /** Resolves when the site and the API answer; rejects when the process ends before that. */
  async answers(at) {
    let dead = null;
    this.ended.then((how) => { dead = how; });
    let last = 'nothing yet';
    const until = Date.now() + START_DEADLINE_MS;
    while (Date.now() < until) {
      if (dead !== null) throw new Error(`gatescope ended before it answered: ${dead}`);
      try {
        const page = await get({ ...at, path: '/' });
        // The last step of a start is the import of the entries; before it, the answer is an error text.
        const terms = await get({ ...at, path: '/api/get_oeis_values/A000045/3' });
        last = `site ${page.status}, API ${terms.status} ${terms.body.slice(0, 200)}`;
        if (page.status === 200 && terms.body.startsWith('{')) return;
      } catch (error) {
        last = error.message;
      }
      await new Promise((resolve) => { setTimeout(resolve, 25); });
    }
    throw new Error(`gatescope does not answer; last: ${last}`);
  }

  /** Reads its configuration again, with `more` on the main level; /generation tells when. */
  reload(more = '') {
    this.generation += 1;
    this.configure(this.generation, more);
    this.child.kill('SIGHUP');
  }

  /** Graceful, then firm. @returns the exit code, or the name of the signal that ended it. */
  async stop() {
    for (const signal of ['SIGQUIT', 'SIGTERM', 'SIGKILL']) {
      this.child.kill(signal);
      const how = await within(this.ended, STOP_DEADLINE_MS);
      if (how !== undefined) return how;
    }
    return 'still running';
  }

  logs() {
    return ['output.log', 'logs/error.log']
      .map((file) => path.join(this.folder, file))
      .filter((file) => fs.existsSync(file))
      .map((file) => fs.readFileSync(file, 'utf8').slice(-2000))
      .join('\n');
  }
}

const configuration = ({ port, oeis, oeisData, name, echo, generation, more }) => `daemon off;
${more}
${process.getuid() === 0 ? 'user www-data;' : ''}
pid gatescope.pid;
error_log logs/error.log info;
state_dir state;
events {}
numberscope {
    database embedded;
    oeis ${oeis};
    oeisdata ${oeisData};
    search local;
}
http {
    types { text/html html; text/css css; text/javascript js mjs; image/svg+xml svg; text/plain txt; }
    access_log logs/access.log;
    server {
        listen 127.0.0.1:${port} ssl;
        server_name ${name};
        ssl_certificate ${name}.pem;
        ssl_certificate_key ${name}.key;
        root html;
        location / { spa_fallback /index.html; }
        location = /status { status_page; }
        location = /generation { default_type text/plain; return 200 "${generation}"; }
        location = /echo {
            proxy_pass http://127.0.0.1:${echo};
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
        }
        location = /api { numberscope_api; }
        location /api/ { numberscope_api; }
    }
}
`;

/** A port that was free a moment ago: the configuration language has no way to say "any". */
async function freePort() {
  const probe = net.createServer();
  await new Promise((resolve, reject) => probe.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => { probe.close(resolve); });
  return port;
}

function get({ port, name, ca, path: target }) {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: target, servername: name, headers: { Host: `${name}:${port}` }, ca, agent: false, timeout: 10_000 };
    const request = https.get(options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (piece) => { body += piece; });
      response.on('end', () => resolve({ status: response.statusCode, body }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('no answer in 10 s')));
    request.on('error', reject);
  });
}

/** The value of `promise`, or undefined when `ms` pass before. */
async function within(promise, ms) {
  let timer;
  const late = new Promise((resolve) => { timer = setTimeout(resolve, ms); });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

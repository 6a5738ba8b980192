// A loopback port nobody listens on at the moment, and that no test was given before: who got it may be about to listen there.
// Below those that systems give to connections by themselves, which may take one in between. Tests of several processes
// tell each other by files which ports are theirs.
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [from, to] = [15_000, 32_000];
const given = new Set<string>();
process.once('exit', () => given.forEach((file) => rmSync(file, { force: true })));

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 1000; tries += 1) {
    const port = randomInt(from, to);
    if (reserve(join(tmpdir(), `test-port-${port}`)) && (await isFree(port))) return port;
  }
  throw new Error(`no free port from ${from} to ${to}`);
}

/** Until this process ends. A file whose process is gone counts no more. */
function reserve(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
  } catch {
    if (!isLeft(file)) return false;
    writeFileSync(file, String(process.pid));
  }
  given.add(file);
  return true;
}

function isLeft(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

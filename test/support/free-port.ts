// A loopback port nobody listens on at the moment, and that this process was not given before: who got it may be about to
// listen there. Below those that systems give to connections by themselves, which may take one in between; at random, since
// other processes look for theirs here as well. Reserves nothing.
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

const [from, to] = [15_000, 32_000];
const given = new Set<number>();

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 1000; tries += 1) {
    const port = randomInt(from, to);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no free port from ${from} to ${to}`);
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

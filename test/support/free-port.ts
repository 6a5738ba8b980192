// A loopback port nobody listens on at the moment, and that this process was not given before: who got it may be about to
// listen there. Reserves nothing against others.
import { once } from 'node:events';
import { createServer } from 'node:net';

const given = new Set<number>();

export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    await once(server, 'close');
    if (address === null || typeof address === 'string') throw new Error('no free port');
    if (given.has(address.port)) continue;
    given.add(address.port);
    return address.port;
  }
}

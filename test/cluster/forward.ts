// Carries TCP connections over a unix socket, which is how the API and the registry of a cluster in its own network namespace are reached
// from outside: `forward.ts <listen>=<connect> …`, each a path or host:port. Prints the port where it was asked for port 0. Reads nothing it carries.
import { createServer, createConnection } from 'node:net';
import { pipeline } from 'node:stream';
import { rmSync } from 'node:fs';

type Endpoint = { path: string } | { host: string; port: number };

function parseEndpoint(text: string): Endpoint {
  if (text.startsWith('/')) return { path: text };
  const separator = text.lastIndexOf(':');
  return { host: text.slice(0, separator), port: Number(text.slice(separator + 1)) };
}

for (const pair of process.argv.slice(2)) {
  const [listen = '', connect = ''] = pair.split('=');
  const target = parseEndpoint(connect);
  const server = createServer({ allowHalfOpen: true }, (incoming) => {
    const outgoing = createConnection({ ...target, allowHalfOpen: true });
    // A connection that breaks on one side is broken on the other by pipeline itself; there is nobody to tell.
    pipeline(incoming, outgoing, () => {});
    pipeline(outgoing, incoming, () => {});
  });
  const source = parseEndpoint(listen);
  if ('path' in source) rmSync(source.path, { force: true });
  server.listen(source, () => {
    const address = server.address();
    if (typeof address === 'object' && address) console.log(`${connect} ${address.port}`);
  });
}

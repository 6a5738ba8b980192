// Brings a server of this machine into the network of a build host, or of another machine of the tests: listens there on 127.0.0.1 and passes every connection
// on through a unix socket, which belongs to no network. As a program it is the end inside: relay.ts <port> <socket>
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildHost } from './build-host.ts';

export interface Relay {
  stop(): Promise<void>;
}

/** Makes `port` inside the host's network lead to whoever `accept` connects it to. */
export async function startRelay(
  host: Pick<BuildHost, 'network'>,
  port: number,
  accept: (inside: Socket) => void,
): Promise<Relay> {
  const folder = mkdtempSync(join(tmpdir(), 'relay-'));
  const path = join(folder, 'socket');
  const outer = createServer(accept);
  await new Promise<void>((resolve) => outer.listen(path, resolve));
  const program = fileURLToPath(import.meta.url);
  const inner = spawn('nsenter', [...host.network, process.execPath, program, String(port), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => inner.stdout.once('data', resolve));
  return {
    async stop() {
      const exited = new Promise((resolve) => inner.once('exit', resolve));
      inner.kill('SIGKILL');
      await exited;
      await new Promise((resolve) => outer.close(resolve));
      rmSync(folder, { recursive: true });
    },
  };
}

/** Joins both ends; either one's end is the other's. */
export function joinSockets(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one);
  one.on('error', () => other.destroy());
  other.on('error', () => one.destroy());
}

function listenInside(port: number, path: string): Server {
  return createServer((client) => joinSockets(client, connect(path))).listen(port, '127.0.0.1', () =>
    process.stdout.write('ready\n'),
  );
}

const [, program, port, path] = process.argv;
if (program === fileURLToPath(import.meta.url) && port && path) listenInside(Number(port), path);

// The controller as a process of its own, on a kubeconfig: started, killed, started again. Knows nothing of scenarios.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ControllerProcess {
  /** Port of /healthz and /readyz. */
  readonly healthPort: number;
  /** Everything it logged so far, one object a line. */
  log(): Record<string, unknown>[];
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
}

export interface StartOptions {
  readonly kubeconfig: string;
  readonly namespace: string;
  /** Same identity: takes its own leader Lease back at once after a crash. */
  readonly identity?: string;
  readonly args?: readonly string[];
}

const root = join(import.meta.dirname, '../..');

/** Resolves when it is ready. */
export async function startController(options: StartOptions): Promise<ControllerProcess> {
  const healthPort = await freePort();
  const args = [
    join(root, 'controller/main.ts'),
    `--kubeconfig=${options.kubeconfig}`,
    '--metrics-bind-address=0',
    `--health-probe-bind-address=127.0.0.1:${healthPort}`,
    ...(options.args ?? []),
  ];
  const env = { ...process.env, POD_NAMESPACE: options.namespace, POD_UID: options.identity ?? 'test-controller' };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await untilReady(child, healthPort, () => output);
  return {
    healthPort,
    log: () => output.split('\n').flatMap(parseLine),
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
  };
}

async function untilReady(child: ChildProcess, port: number, output: () => string): Promise<void> {
  while (child.exitCode === null) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      if (answer.ok) return;
    } catch {
      // Not listening yet.
    }
    await sleep(20);
  }
  throw new Error(`the controller ended with ${child.exitCode}: ${output()}`);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

function parseLine(line: string): Record<string, unknown>[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return line === '' ? [] : [{ message: line }];
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  server.close();
  await once(server, 'close');
  return port;
}

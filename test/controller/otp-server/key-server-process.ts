// A key server as a process of its own, on free ports of this machine: started, stopped, killed. Knows nothing of what is asked.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../support/free-port.ts';

export interface KeyServerProcess {
  readonly port: number;
  /** Where keys are stored and nothing else. */
  readonly storePort: number;
  readonly healthPort: number;
  readonly metricsPort: number;
  readonly child: ChildProcess;
  /** Everything it printed. */
  output(): string;
  untilReady(): Promise<void>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<number | null>;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
}

const program = join(import.meta.dirname, '../../../controller/otp-server/main.ts');

export async function startKeyServer(kubeconfig: string, args: readonly string[]): Promise<KeyServerProcess> {
  const server = await spawnKeyServer(kubeconfig, args);
  await server.untilReady();
  return server;
}

/** Returns at once. */
export async function spawnKeyServer(kubeconfig: string, args: readonly string[]): Promise<KeyServerProcess> {
  const [port, storePort, healthPort, metricsPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    `--listen-address=127.0.0.1:${port}`,
    `--store-listen-address=127.0.0.1:${storePort}`,
    `--health-probe-bind-address=127.0.0.1:${healthPort}`,
    `--metrics-bind-address=127.0.0.1:${metricsPort}`,
    '--tls-folder=/nonexistent',
    '--encryption-keys-folder=/nonexistent',
    '--make-certificate',
    '--stop-delay=100ms',
    ...args,
  ];
  const env = { ...process.env, POD_NAMESPACE: 'multi-platform-controller' };
  const child = spawn(process.execPath, [program, ...flags], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const output = (): string => printed;
  return {
    port,
    storePort,
    healthPort,
    metricsPort,
    child,
    output,
    untilReady: () => untilReady(child, healthPort, output),
    stop: () => end(child, 'SIGTERM'),
    kill: () => kill(child),
  };
}

async function untilReady(child: ChildProcess, port: number, output: () => string): Promise<void> {
  while (child.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(20);
  }
  throw new Error(`the key server ended with ${child.exitCode}: ${output()}`);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
  return child.exitCode;
}

async function kill(child: ChildProcess): Promise<void> {
  await end(child, 'SIGKILL');
}

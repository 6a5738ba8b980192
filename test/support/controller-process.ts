// The controller as a process of its own, on a kubeconfig: started, stalled, killed, started again. Knows nothing of
// scenarios.
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChildProcesses } from './child-processes.ts';
import { controllerBundle } from './controller-bundle.ts';
import { freePort } from './free-port.ts';

export interface ControllerProcess {
  readonly pid: number;
  /** Port of /healthz and /readyz. */
  readonly healthPort: number;
  /** True once it is gone, for whatever reason. */
  readonly ended: boolean;
  /** Everything it logged so far, one object a line. */
  log(): Record<string, unknown>[];
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
  /** SIGSTOP: as a node that hangs. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
}

export interface StartOptions {
  readonly kubeconfig: string;
  readonly namespace: string;
  /** Same identity: takes its own leader Lease back at once after a crash. */
  readonly identity?: string;
  readonly args?: readonly string[];
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
}

const processes = new ChildProcesses();
/** For what they log; a controller that runs for hours must not fill the memory of its test. */
const mostLines = 20_000;

/** Resolves when it is ready. */
export async function startController(options: StartOptions): Promise<ControllerProcess> {
  const healthPort = await freePort();
  const args = [
    ...(options.nodeFlags ?? []),
    await controllerBundle(),
    `--kubeconfig=${options.kubeconfig}`,
    '--metrics-bind-address=0',
    `--health-probe-bind-address=127.0.0.1:${healthPort}`,
    ...(options.args ?? []),
  ];
  const env = { ...process.env, POD_NAMESPACE: options.namespace, POD_UID: options.identity ?? 'test-controller' };
  let output: string[] = [];
  const onOutput = (text: string): void => {
    output.push(text);
    if (output.length > mostLines) output = output.slice(-mostLines / 2);
  };
  const child = processes.start(process.execPath, args, { env, onOutput });
  await untilReady(child, healthPort, () => output.join(''));
  return {
    pid: child.pid ?? 0,
    healthPort,
    get ended() {
      return hasEnded(child);
    },
    log: () => output.join('').split('\n').flatMap(parseLine),
    stop: () => processes.end(child, 'SIGTERM'),
    kill: () => processes.end(child, 'SIGKILL'),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  };
}

async function untilReady(child: ChildProcess, port: number, output: () => string): Promise<void> {
  while (!hasEnded(child)) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      if (answer.ok) return;
    } catch {
      // Not listening yet.
    }
    await sleep(20);
  }
  throw new Error(`the controller ended with ${child.exitCode ?? child.signalCode}: ${output()}`);
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function parseLine(line: string): Record<string, unknown>[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return line === '' ? [] : [{ message: line }];
  }
}

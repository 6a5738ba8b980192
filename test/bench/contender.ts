// A controller under measurement: any command that takes the documented flags, started as one process and ended as one.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';
import { cpuSeconds, residentMebibytes } from './process-figures.ts';

export interface ContenderPlan {
  readonly name: 'ours' | 'other';
  /** Run by sh; the flags are appended. */
  readonly command: string;
  readonly kubeconfig: string;
  /** Who it is for the API server: its requests are found in the audit log by this. */
  readonly user: string;
}

export interface StartPlace {
  readonly namespace: string;
  readonly logFile: string;
}

/** CPU below this share of a core, for that long, is quiet. */
const quietShare = 0.02;
const quietFor = 3;

export class Contender {
  readonly name: ContenderPlan['name'];
  readonly user: string;
  /** By the bench's monotonic clock. */
  readonly startedAt: number;
  readonly #child: ChildProcess;
  readonly #logFile: string;

  private constructor({ name, user }: ContenderPlan, child: ChildProcess, logFile: string) {
    this.name = name;
    this.user = user;
    this.#child = child;
    this.#logFile = logFile;
    this.startedAt = performance.now();
  }

  static async start(plan: ContenderPlan, { namespace, logFile }: StartPlace): Promise<Contender> {
    const health = `127.0.0.1:${await freePort()}`;
    const flags = `--metrics-bind-address=127.0.0.1:${await freePort()} --health-probe-bind-address=${health}`;
    const env = { ...process.env, KUBECONFIG: plan.kubeconfig, POD_NAMESPACE: namespace, POD_UID: plan.name };
    const log = openSync(logFile, 'a');
    // It ends with the bench, whatever happens to that.
    const tied = existsSync('/usr/bin/setpriv') ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];
    const child = spawn('/usr/bin/env', [...tied, 'sh', '-c', `exec ${plan.command} ${flags}`], {
      env,
      stdio: ['ignore', log, log],
    });
    return new Contender(plan, child, logFile);
  }

  get cpu(): number {
    return cpuSeconds(this.#pid);
  }

  get memory(): { readonly now: number; readonly peak: number } {
    return residentMebibytes(this.#pid);
  }

  /** Waits until it uses no CPU to speak of; false when it still did after so many seconds. */
  async untilQuiet(patience: number): Promise<boolean> {
    let calm = 0;
    for (let second = 0; second < patience; second += 1) {
      const before = this.cpu;
      await sleep(1000);
      calm = this.cpu - before <= quietShare ? calm + 1 : 0;
      if (calm >= quietFor) return true;
    }
    return false;
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.#isRunning) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(late);
  }

  get #isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get #pid(): number {
    const { pid } = this.#child;
    if (pid !== undefined && this.#isRunning) return pid;
    const log = readFileSync(this.#logFile, 'utf8').slice(-2000);
    throw new Error(`the controller '${this.name}' is not running; it said last:\n${log}`);
  }
}

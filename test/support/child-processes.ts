// Programs a test runs beside itself: they end with it, whatever happens to it, and say on stderr why they failed.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Socket } from 'node:net';

export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Gets everything it says. Without it, its last words go to stderr when it fails. */
  readonly onOutput?: (text: string) => void;
}

export class ChildProcesses {
  readonly #running = new Set<ChildProcess>();
  readonly #killAll = (): void => {
    for (const child of this.#running) child.kill('SIGKILL');
  };

  constructor() {
    process.once('exit', this.#killAll);
  }

  start(program: string, args: readonly string[], { env, onOutput }: ChildOptions = {}): ChildProcess {
    // Ends the child even when this process is killed.
    const tied = existsSync('/usr/bin/setpriv') ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];
    const [command = program, ...rest] = [...tied, program, ...args];
    const child = spawn(command, rest, { env, stdio: ['ignore', onOutput === undefined ? 'ignore' : 'pipe', 'pipe'] });
    let complaint = '';
    const hear = (chunk: Buffer): void =>
      onOutput === undefined
        ? void (complaint = (complaint + chunk.toString()).slice(-4000))
        : onOutput(chunk.toString());
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    this.#running.add(child);
    child.once('exit', (code) => {
      this.#running.delete(child);
      if (complaint !== '' && code !== 0 && code !== null)
        process.stderr.write(`${program} ended with ${code}:\n${complaint}\n`);
    });
    return child;
  }

  /** Not gracefully, unless told otherwise: nothing that tests leave behind is worth it. */
  async end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  /** Those that run now are not waited for: they end with this process. */
  unref(): void {
    for (const child of this.#running) {
      child.unref();
      for (const stream of [child.stdout, child.stderr]) if (stream instanceof Socket) stream.unref();
    }
  }

  async endAll(): Promise<void> {
    process.off('exit', this.#killAll);
    await Promise.all([...this.#running].map(async (child) => this.end(child)));
  }
}

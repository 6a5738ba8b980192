// Programs a test runs beside itself: they end with it, whatever happens to it, and say on stderr why they failed.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';

export class ChildProcesses {
  readonly #running = new Set<ChildProcess>();
  readonly #killAll = (): void => {
    for (const child of this.#running) child.kill('SIGKILL');
  };

  constructor() {
    process.once('exit', this.#killAll);
  }

  start(program: string, args: readonly string[]): ChildProcess {
    // Ends the child even when this process is killed.
    const tied = existsSync('/usr/bin/setpriv') ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];
    const [command = program, ...rest] = [...tied, program, ...args];
    const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-4000)));
    this.#running.add(child);
    child.once('exit', (code) => {
      this.#running.delete(child);
      if (code !== 0 && code !== null) process.stderr.write(`${program} ended with ${code}:\n${complaint}\n`);
    });
    return child;
  }

  /** Not gracefully: nothing that tests leave behind is worth it. */
  async end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async endAll(): Promise<void> {
    process.off('exit', this.#killAll);
    await Promise.all([...this.#running].map(async (child) => this.end(child)));
  }
}

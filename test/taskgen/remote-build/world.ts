// The machine of world.sh as the tests hold it: start it, run commands in it, reach its files, and have it gone afterwards.
// Knows nothing of the remote script.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface World {
  /** Where its root directory is seen from outside. */
  readonly root: string;
  spawn(command: readonly string[]): ChildProcess;
  /** A shell script, as root of that machine. */
  run(script: string): Promise<Outcome>;
  /** The same as the user who builds on it. */
  onHost(script: string): Promise<Outcome>;
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const base = mkdtempSync(join(tmpdir(), 'remote-build-'));
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child'];
  const machine = spawn('unshare', [...namespaces, 'bash', join(import.meta.dirname, 'world.sh'), base], {
    stdio: 'pipe',
  });
  const exited = once(machine, 'exit');
  const first = childOf(await ready(machine));
  const spawnInside = (command: readonly string[]) =>
    spawn('nsenter', ['-t', String(first), '-n', '-m', '-p', '--', ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
  return {
    root: `/proc/${first}/root`,
    spawn: spawnInside,
    run: (script) => outcomeOf(spawnInside(['bash', '-c', script])),
    onHost: (script) => outcomeOf(spawnInside(['su', '-', 'builder', '-c', script])),
    async close() {
      machine.kill('SIGKILL');
      await exited;
      rmdirSync(base);
    },
  };
}

async function ready(machine: ChildProcess): Promise<number> {
  let said = '';
  machine.stderr!.on('data', (text: Buffer) => (said += text.toString()));
  const answer: unknown[] = await Promise.race([once(machine.stdout!, 'data'), once(machine, 'exit')]);
  if (String(answer[0]).trim() !== 'ready') throw new Error(`the machine for the test did not start: ${said}`);
  return machine.pid!;
}

/** `unshare --fork` and `nsenter -p` stay outside as the parent of what they run. */
export function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const texts = { stdout: '', stderr: '' };
  child.stdout!.on('data', (text: Buffer) => (texts.stdout += text.toString()));
  child.stderr!.on('data', (text: Buffer) => (texts.stderr += text.toString()));
  await once(child, 'close');
  return { code: child.exitCode, ...texts };
}

// How long our event loop stands still while foreign TaskRuns are read at a start. Measured inside the process by
// loop-delay.ts, which is loaded before the controller.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { atWork, roomy, type Line } from './line.ts';

export const eventLoop: Line = {
  name: 'event-loop',
  rounds: 1,
  onlyOurs: true,
  figures: [
    { what: 'event loop delay from start to end among foreign TaskRuns', sample: 'p99', reduce: 'most', unit: 'ms' },
    { what: 'longest stall', sample: 'most', reduce: 'most', unit: 'ms' },
  ],
  run: async (arena, plan, effort) => {
    await arena.foreign(effort.foreign);
    const file = join(tmpdir(), `loop-delay-${process.pid}.json`);
    const command = `env LOOP_DELAY_FILE=${file} NODE_OPTIONS=--import=${join(import.meta.dirname, 'loop-delay.ts')} ${plan.command}`;
    await atWork(arena, { ...plan, command }, roomy, async (_place, contender) => {
      await contender.untilQuiet(effort.patience);
      return {};
    });
    const { p99, most }: { p99: number; most: number } = JSON.parse(await readFile(file, 'utf8'));
    return { p99: [p99], most: [most] };
  },
};

// `npm run bench`: how fast and how large the controller is, on a real API server with Tekton played by a process of its
// own. With --compare, another controller does the same work in the same run, by turns. A measurement, never a test.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { Arena } from './arena.ts';
import { arrivals } from './arrivals.ts';
import type { ContenderPlan } from './contender.ts';
import { eventLoop } from './event-loop.ts';
import { foreignStart, foreignUpdates, memoryEmpty } from './foreign-load.ts';
import { handover } from './handover.ts';
import type { Effort, Line, Samples } from './line.ts';
import { longQueue } from './long-queue.ts';
import { printed, rowsOf, type Row } from './report.ts';
import { requests } from './requests.ts';

/** Those that need an empty cluster come first. */
const lines: readonly Line[] = [
  memoryEmpty,
  ...arrivals,
  ...handover,
  longQueue,
  requests,
  foreignUpdates,
  foreignStart,
  eventLoop,
];

interface Flags {
  readonly compare?: string;
  readonly only?: readonly string[];
  readonly quick: boolean;
  readonly foreign?: number;
  readonly json?: string;
  readonly patience: number;
  readonly ours: string;
}

const root = join(import.meta.dirname, '../..');
const bundled = `${process.execPath} --optimize-for-size --max-semi-space-size=4 --v8-pool-size=0 ${join(root, 'dist/controller.mjs')}`;

const flags = new Command('bench')
  .description('Measures the controller on a real kube-apiserver and etcd.')
  .option('--compare <command>', 'another controller that takes the same flags; gets the same work, by turns')
  .option('--only <line...>', `some of: ${lines.map(({ name }) => name).join(', ')}`)
  .option('--quick', 'less of everything; figures are rough', false)
  .option(
    '--foreign <number>',
    'TaskRuns of other people where that matters (default: 10000, with --quick 1000)',
    Number,
  )
  .option('--json <file>', 'write the figures there, too')
  .option(
    '--patience <seconds>',
    'how long a controller may take to become quiet, or to serve a build after a restart',
    Number,
    120,
  )
  .option('--ours <command>', 'how our controller is started', bundled)
  .parse()
  .opts<Flags>();

const unknown = flags.only?.find((name) => !lines.some((line) => line.name === name));
if (unknown !== undefined) {
  console.error(`bench: --only: there is no line '${unknown}'; --help lists them`);
  process.exit(1);
}
execFileSync(process.execPath, [join(root, 'deploy/images/bundle.ts')], { stdio: 'inherit' });

const { quick, patience, foreign = quick ? 1_000 : 10_000 } = flags;
const effort: Effort = { quick, patience, foreign };
const arena = await Arena.open();
// Ended early, it leaves nothing behind either.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void arena.close().finally(() => process.exit(1)));
}
try {
  const plans = [await arena.planFor('ours', flags.ours)];
  if (flags.compare !== undefined) plans.push(await arena.planFor('other', flags.compare));
  const rows: Row[] = [];
  for (const line of lines.filter(({ name }) => flags.only?.includes(name) ?? true)) {
    console.error(`bench: ${line.name}`);
    const found = rowsOf(line, await measure(line, plans));
    rows.push(...found);
    // Shown and kept as it comes: the whole table takes a while.
    console.log(printed(found, flags.compare !== undefined));
    if (flags.json !== undefined) writeFileSync(flags.json, asJson(rows));
  }
} finally {
  await arena.close();
}

function asJson(rows: readonly Row[]): string {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
  return `${JSON.stringify({ machine, quick, foreign, rows }, null, 2)}\n`;
}

/** By turns, so that what the machine does meanwhile meets both. */
async function measure(line: Line, plans: readonly ContenderPlan[]): Promise<Record<'ours' | 'other', Samples[]>> {
  const samples: Record<'ours' | 'other', Samples[]> = { ours: [], other: [] };
  for (let round = 1; round <= (effort.quick ? 1 : line.rounds); round += 1) {
    for (const plan of plans) {
      if (line.onlyOurs === true && plan.name !== 'ours') continue;
      samples[plan.name].push(await line.run(arena, plan, effort));
    }
  }
  return samples;
}

// Where the time of a remote build went, read from what the build itself printed and from its TaskRun. Pure.

export interface TimelineRow {
  readonly phase: string;
  readonly seconds: number;
  /** What was moved, as the build printed it: `3.7kB`. */
  readonly size?: string;
}

/** Instants in milliseconds, as the demo saw them. */
export interface Observed {
  readonly created: number;
  readonly claimed: number;
  readonly ready: number;
  /** `status.steps` of the TaskRun. */
  readonly steps: readonly StepStatus[];
  readonly log: string;
}

export interface StepStatus {
  readonly name: string;
  readonly terminated?: { readonly startedAt?: string; readonly finishedAt?: string };
}

/** Phases the remote script measures, in their order, with the words of the timeline. */
const measured: readonly (readonly [string, string])[] = [
  ['connect', 'connected'],
  ['send', 'sent'],
  ['pull', 'builder image pulled'],
  ['build', 'built'],
  ['export', 'exported'],
  ['fetch', 'fetched'],
];

export function timelineOf({ created, claimed, ready, steps, log }: Observed): TimelineRow[] {
  const rows: TimelineRow[] = [
    { phase: 'queued', seconds: Math.max(0, claimed - created) / 1000 },
    { phase: 'provisioned', seconds: Math.max(0, ready - claimed) / 1000 },
  ];
  const summary = /remote-build: timeline(.*)$/m.exec(log)?.[1] ?? '';
  for (const [key, phase] of measured) {
    const match = new RegExp(` ${key}=([0-9.]+)s(?:/(\\S+))?`).exec(summary);
    if (match?.[1] === undefined) continue;
    rows.push({ phase, seconds: Number(match[1]), ...(match[2] === undefined ? {} : { size: match[2] }) });
  }
  for (const name of ['build-local', 'push', 'sbom']) {
    const step = steps.find((it) => it.name === name)?.terminated;
    if (step?.startedAt === undefined || step.finishedAt === undefined) continue;
    const words = { 'build-local': 'loaded', push: 'pushed', sbom: 'SBOM attached' }[name] ?? name;
    rows.push({ phase: words, seconds: lengthOf(name, steps) });
  }
  return rows;
}

/** Steps of a pod are started together and wait for each other: a step's time begins when the one before it ended. */
function lengthOf(name: string, steps: readonly StepStatus[]): number {
  const at = (step: StepStatus | undefined, end: 'startedAt' | 'finishedAt'): number =>
    Date.parse(step?.terminated?.[end] ?? '');
  const index = steps.findIndex((step) => step.name === name);
  const began = index === 0 ? at(steps[0], 'startedAt') : at(steps[index - 1], 'finishedAt');
  return Math.max(0, at(steps[index], 'finishedAt') - began) / 1000;
}

/** The rows as a table for people. */
export function formatTimeline(rows: readonly TimelineRow[]): string {
  const total = rows.reduce((sum, row) => sum + row.seconds, 0);
  const line = (phase: string, seconds: number, size = ''): string =>
    `  ${phase.padEnd(22)}${seconds.toFixed(1).padStart(7)} s  ${size}`.trimEnd();
  return [...rows.map((row) => line(row.phase, row.seconds, row.size)), line('in all', total)].join('\n');
}

// Which static host is cared for next: one at a time, when no build is on it. A host that is due takes no new builds until
// it is idle, for `drainTimeout` at most, its update included; then builds come first, and it is tried an hour later.
import type { CareSettings } from '../model/care.ts';
import type { Host } from '../model/host.ts';
import { earliest, minute, second, type Duration, type Instant } from '../model/instant.ts';
import type { OwnTaskRun } from '../model/task-run.ts';
import {
  isLost,
  isOver,
  lastCare,
  lastUpdate,
  leftAloneUntil,
  lostAt,
  putOff,
  retireAt,
  startedBy,
} from './care-runs.ts';
import { compareText } from './waiting-order.ts';

export interface CareHost {
  readonly host: Host;
  /** Left to whoever cordoned it. */
  readonly cordoned: boolean;
  readonly hasSshSecret: boolean;
  /** Builds on it, and TaskRuns of ours that prepare or clean it. */
  readonly users: number;
}

export interface CareSnapshot {
  readonly settings: CareSettings;
  /** Every configured static host. */
  readonly hosts: readonly CareHost[];
  /** Every update TaskRun there is. */
  readonly runs: readonly OwnTaskRun[];
}

/** What is known from earlier looks. Lost with a restart, which costs a host one more drain and nothing else. */
export interface CareMemory {
  /** Since when each host could be cared for. */
  readonly known: ReadonlyMap<string, Instant>;
  readonly putOffUntil: ReadonlyMap<string, Instant>;
  readonly drain: { readonly host: string; readonly since: Instant } | undefined;
}

export const noCareYet: CareMemory = { known: new Map(), putOffUntil: new Map(), drain: undefined };

export type CareStep =
  | { readonly type: 'update'; readonly host: Host; readonly after: Instant }
  | { readonly type: 'skip'; readonly host: Host; readonly why: string }
  | { readonly type: 'cancel' | 'retire'; readonly run: OwnTaskRun };

export interface CarePlan {
  readonly memory: CareMemory;
  /** The host that takes no builds now. */
  readonly drained: string | undefined;
  readonly steps: readonly CareStep[];
  readonly lookAgainAt: Instant | undefined;
}

/** A controller that just started, or a host that was just added, has builds to serve first. */
const firstAfter: Duration = minute;

/** `keep`: how long update TaskRuns are kept. */
export function nextCare(snapshot: CareSnapshot, before: CareMemory, now: Instant, keep: Duration): CarePlan {
  const memory = rememberHosts(snapshot, before, now);
  const running = snapshot.runs.find((run) => !isOver(run, now));
  const next = running === undefined ? chooseNext(snapshot, memory, now) : waitFor(running, snapshot, memory, now);
  const tidied = tidy(snapshot, now, keep);
  const lookAgainAt = earliest([next.lookAgainAt, tidied.lookAgainAt]);
  return { ...next, steps: [...next.steps, ...tidied.steps], lookAgainAt };
}

/** The update of this host was refused: nothing is gained by keeping builds away meanwhile. */
export function putOffCare(memory: CareMemory, host: string, now: Instant): CareMemory {
  return { ...memory, drain: undefined, putOffUntil: new Map([...memory.putOffUntil, [host, now + putOff]]) };
}

function rememberHosts({ hosts }: CareSnapshot, before: CareMemory, now: Instant): CareMemory {
  const open = hosts.filter((it) => !it.cordoned).map(({ host }) => host.name);
  return {
    known: new Map(open.map((name) => [name, before.known.get(name) ?? now])),
    putOffUntil: new Map([...before.putOffUntil].filter(([name, until]) => open.includes(name) && until > now)),
    drain: before.drain,
  };
}

/** An update is under way: its host takes no builds, but for longer than `drainTimeout` they do not wait. */
function waitFor(running: OwnTaskRun, { settings }: CareSnapshot, memory: CareMemory, now: Instant): CarePlan {
  const drain = memory.drain?.host === running.host ? memory.drain : { host: running.host, since: running.created };
  const holdUntil = Math.min(drain.since + settings.drainTimeout, startedBy(running));
  const held = now < holdUntil;
  return {
    memory: { ...memory, drain },
    drained: held ? running.host : undefined,
    steps: [],
    lookAgainAt: held ? holdUntil : lostAt(running),
  };
}

function chooseNext(snapshot: CareSnapshot, memory: CareMemory, now: Instant): CarePlan {
  const due = snapshot.hosts.filter((it) => dueAt(it, snapshot, memory, now) <= now);
  const ready = due.filter((it) => it.hasSshSecret).sort(compareCare);
  const chosen = ready.find(({ host }) => host.name === memory.drain?.host) ?? ready[0];
  const going = chosen === undefined ? noneDue : drainHost(chosen, snapshot, memory.drain, now);
  const missing = due.filter((it) => !it.hasSshSecret);
  const steps = [...missing.map(({ host }) => skip(host, `its Secret ${host.secret} is missing`)), ...going.steps];
  const skipped = steps.flatMap((step) => (step.type === 'skip' ? [step.host.name] : []));
  const putOffUntil = new Map([...memory.putOffUntil, ...skipped.map((name) => [name, now + putOff] as const)]);
  const after = { ...memory, putOffUntil, drain: going.drain };
  const nextDue = snapshot.hosts.map((it) => dueAt(it, snapshot, after, now)).filter((time) => time > now);
  return {
    memory: after,
    drained: going.drain?.host,
    steps,
    // Behind one that was skipped another may be due.
    lookAgainAt: going.drain === undefined ? earliest(skipped.length > 0 ? [now] : nextDue) : going.until,
  };
}

interface Going {
  readonly drain: CareMemory['drain'];
  readonly until: Instant | undefined;
  readonly steps: readonly CareStep[];
}

const noneDue: Going = { drain: undefined, until: undefined, steps: [] };

function drainHost(chosen: CareHost, snapshot: CareSnapshot, before: CareMemory['drain'], now: Instant): Going {
  const { host, users } = chosen;
  const { drainTimeout } = snapshot.settings;
  const last = lastUpdate(host.name, snapshot.runs);
  const goesOn = before?.host === host.name && before.since > last;
  const current = goesOn ? before : { host: host.name, since: now };
  const until = current.since + drainTimeout;
  if (now >= until) {
    const time = drainTimeout % minute === 0 ? `${drainTimeout / minute} min` : `${drainTimeout / second} s`;
    const why = users > 0 ? `its builds did not end in ${time}` : 'its TaskRun could not be created';
    return { ...noneDue, steps: [skip(host, why)] };
  }
  return { drain: current, until, steps: users > 0 ? [] : [{ type: 'update', host, after: last }] };
}

function skip(host: Host, why: string): CareStep {
  return { type: 'skip', host, why };
}

/** Infinity: never. */
function dueAt({ host }: CareHost, { settings, runs }: CareSnapshot, memory: CareMemory, now: Instant): Instant {
  const known = memory.known.get(host.name);
  if (known === undefined || settings.updateInterval === undefined) return Infinity;
  const last = lastCare(host.name, runs, now);
  return Math.max(
    known + firstAfter,
    last === 0 ? 0 : last + settings.updateInterval,
    leftAloneUntil(host.name, runs),
    memory.putOffUntil.get(host.name) ?? 0,
  );
}

/** 1. Idle hosts: nobody has to wait for them. 2. Host name. */
function compareCare(a: CareHost, b: CareHost): number {
  return Number(a.users > 0) - Number(b.users > 0) || compareText(a.host.name, b.host.name);
}

/** Update TaskRuns whose time is over. */
function tidy(
  { settings, hosts, runs }: CareSnapshot,
  now: Instant,
  keep: Duration,
): Omit<CarePlan, 'memory' | 'drained'> {
  const names = new Set(hosts.map(({ host }) => host.name));
  const steps: CareStep[] = [];
  const later: Instant[] = [];
  for (const run of runs) {
    if (run.deleting || !isOver(run, now)) continue;
    const at = retireAt(run, runs, keep, settings.updateInterval !== undefined && names.has(run.host));
    if (now >= at) steps.push({ type: 'retire', run });
    else later.push(at);
    if (now < at && isLost(run, now) && !run.cancelled) steps.push({ type: 'cancel', run });
  }
  return { steps, lookAgainAt: earliest(later) };
}

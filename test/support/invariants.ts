// What must hold at every instant, whatever a test does: watched from a second connection, told at the end. Judges by
// what anybody can see of TaskRuns and Secrets; changes nothing.
import { neverEntered } from '../../controller/lease/provision-reasons.ts';
import type { ApiServer } from './api-server.ts';
import {
  annotation,
  buildOf,
  factsOf,
  hasFailed,
  hostOf,
  isBuild,
  isDone,
  isLive,
  label,
  leaseOf,
  type Raw,
  resultOf,
  taskType,
  userFinalizer,
} from './observed-task-run.ts';
import type { WatchedTaskRuns } from './watched-task-runs.ts';

/** A cleanup may start beside a cancelled provision that did not end within 30 s; times of objects are whole seconds. */
const stopWait = 29_000;

export interface Claim {
  readonly namespace: string;
  readonly name: string;
  readonly host: string;
}

export class Invariants {
  /** Slots by host name; a host that is not in it is not checked. */
  readonly slots = new Map<string, number>();
  /** Every claim in the order in which it was seen. */
  readonly claims: Claim[] = [];
  /** The most builds that were ever seen on a host at once. */
  readonly peak = new Map<string, number>();
  /** uids of builds whose finalizer the test itself takes away. */
  readonly forced = new Set<string>();
  /** Builds, as namespace/name, whose labels the test itself writes: they hold what their facts say. */
  readonly forged = new Set<string>();
  /** Namespaces whose builds hold no slot, whatever they say of themselves. */
  readonly slotless = new Set<string>();
  readonly #watched: WatchedTaskRuns;
  readonly #violations = new Set<string>();
  readonly #provisioned = new Map<string, Raw>();
  readonly #cleaned = new Map<string, Raw>();
  /** Launch TaskRuns by the token of their host, and tokens for which there was a terminate TaskRun. */
  readonly #launched = new Map<string, Raw>();
  readonly #terminated = new Set<string>();
  readonly #leave: () => void;

  constructor(watched: WatchedTaskRuns) {
    this.#watched = watched;
    this.#leave = watched.onChange((before, after) => this.#look(before, after));
  }

  /** The slots of its hosts count, unless they become fewer: a host keeps what runs on it. */
  noteHostConfig(data: Readonly<Record<string, string>>): void {
    for (const [key, value] of Object.entries(data)) {
      const host = /^host\.(.+)\.concurrency$/.exec(key)?.[1];
      if (host !== undefined) this.slots.set(host, Math.max(Number(value) || 0, this.slots.get(host) ?? 0));
    }
  }

  /** Stops looking. */
  end(): void {
    this.#leave();
  }

  /** Everything that was wrong at some instant; empty is right. */
  get violations(): readonly string[] {
    return [...this.#violations];
  }

  /** What is still there once all builds (of one namespace) have ended, and should not be; empty is right. */
  async leftovers(api: ApiServer, namespace?: string): Promise<string[]> {
    const within = (it: Raw): boolean => namespace === undefined || namespaceOf(it) === namespace;
    const taskRuns = this.#watched.all;
    const left = taskRuns.filter(within).flatMap((it) => (taskType(it) === undefined ? traces(it) : unfinished(it)));
    for (const [lease, provision] of this.#provisioned) {
      const due = !neverEntered.has(resultOf(provision, 'REASON') ?? '');
      const launched = factsOf(provision)?.claim?.provider === 'dynamic';
      if (within(provision) && due && !launched && !this.#cleaned.has(lease))
        left.push(`no cleanup was ever made for ${lease}`);
    }
    for (const [host, launch] of this.#launched)
      if (within(launch) && !this.#terminated.has(host)) left.push(`host ${host} was never terminated`);
    const uids = new Set(taskRuns.map((it) => it.metadata.uid));
    const secrets = await api.ask('GET', '/api/v1/secrets');
    for (const secret of secrets.items)
      if (within(secret) && isLeftSecret(secret, uids)) left.push(`Secret ${nameOf(secret)}`);
    return left;
  }

  #look(before: Raw, after: Raw): void {
    const taskRun = after ?? before;
    // Only looks like ours: it works for no build.
    if (taskType(taskRun) !== undefined && label(taskRun, 'user-task-uid') === undefined) return;
    if (taskType(taskRun) === 'provision') this.#lookAtProvision(taskRun, after !== undefined);
    else if (taskType(taskRun) === 'clean') this.#lookAtCleanup(before, after);
    else if (taskType(taskRun) === 'launch') this.#launched.set(label(taskRun, 'assigned-host') ?? '', taskRun);
    else if (taskType(taskRun) === 'terminate') this.#lookAtTerminate(taskRun, after !== undefined);
    else if (isBuild(taskRun)) this.#lookAtBuild(before, after);
  }

  #lookAtBuild(before: Raw, after: Raw): void {
    const [held, holds] = [
      before === undefined ? undefined : this.#hostOf(before),
      after === undefined ? undefined : this.#hostOf(after),
    ];
    if (holds !== undefined && holds !== held && isLive(after)) this.#noteClaim(after, holds);
    const claimed = before === undefined ? undefined : factsOf(before);
    const released = finalizersOf(before).includes(userFinalizer) && !finalizersOf(after).includes(userFinalizer);
    if (!released || claimed?.claim === undefined || claimed.claim.provider === 'local' || this.#watched.skipped)
      return;
    const { namespace, name, uid } = before.metadata;
    // The API server checks finalizers before it deletes: one that came in between did not hold the build.
    const tornAway = after === undefined && before.metadata.deletionTimestamp === undefined;
    if (tornAway || this.forced.has(uid)) return;
    const lease = `${namespace}/${name} (${uid}) attempt ${claimed.attempt}`;
    const { provider, host } = claimed.claim;
    if (provider === 'dynamic' && this.#launched.has(host) && !this.#terminated.has(host))
      this.#note(`${lease} was let go before host ${host} was being terminated`);
    if (provider === 'static' && this.#provisioned.has(lease) && !this.#cleaned.has(lease))
      this.#note(`${lease} was let go before its cleanup existed`);
  }

  #noteClaim(taskRun: Raw, host: string): void {
    const { namespace, name } = taskRun.metadata;
    this.claims.push({ namespace, name, host });
    const held = this.#watched.all.filter((it) => isBuild(it) && isLive(it) && this.#hostOf(it) === host);
    this.peak.set(host, Math.max(held.length, this.peak.get(host) ?? 0));
    const slots = this.slots.get(host);
    if (slots === undefined || held.length <= slots) return;
    this.#note(`host ${host} has ${slots} slots and ${held.length} builds: ${held.map(nameOf).sort().join(', ')}`);
  }

  #hostOf(taskRun: Raw): string | undefined {
    if (this.slotless.has(taskRun.metadata.namespace)) return undefined;
    return this.forged.has(nameOf(taskRun)) ? factsOf(taskRun)?.claim?.host : hostOf(taskRun);
  }

  #lookAtProvision(provision: Raw, there: boolean): void {
    const lease = leaseOf(provision);
    const known = this.#provisioned.get(lease);
    if (known !== undefined && known.metadata.uid !== provision.metadata.uid)
      this.#note(`${lease} had two provision TaskRuns: ${nameOf(known)} and ${nameOf(provision)}`);
    this.#provisioned.set(lease, provision);
    if (!there || !isLive(provision) || isCancelled(provision)) return;
    const live = this.#ours('provision', provision).filter((it) => isLive(it) && !isCancelled(it));
    if (live.length > 1)
      this.#note(`${buildOf(provision)} has provision TaskRuns ${live.map(nameOf).sort().join(', ')}`);
  }

  #lookAtCleanup(before: Raw, after: Raw): void {
    if (after === undefined) return;
    const lease = leaseOf(after);
    const known = this.#cleaned.get(lease);
    this.#cleaned.set(lease, after);
    if (before !== undefined) return;
    if (known !== undefined && isDone(known) && !hasFailed(known))
      this.#note(`${lease} is cleaned although it was clean`);
    const live = this.#ours('clean', after).filter((it) => leaseOf(it) === lease && isLive(it));
    if (live.length > 1) this.#note(`${lease} has cleanup TaskRuns ${live.map(nameOf).sort().join(', ')}`);
    const provision = this.#ours('provision', after).find((it) => leaseOf(it) === lease);
    if (provision !== undefined && isLive(provision) && !this.#waitedLong(after))
      this.#note(`${lease} is cleaned while ${nameOf(provision)} runs`);
  }

  #lookAtTerminate(terminate: Raw, there: boolean): void {
    const host = label(terminate, 'assigned-host') ?? '';
    this.#terminated.add(host);
    const live = this.#watched.all.filter(
      (it) => taskType(it) === 'terminate' && label(it, 'assigned-host') === host && isLive(it),
    );
    if (there && live.length > 1)
      this.#note(`${buildOf(terminate)}: host ${host} is terminated by ${live.map(nameOf).sort().join(', ')}`);
  }

  /** The build ended long before its cleanup was made. */
  #waitedLong(cleanup: Raw): boolean {
    const build = this.#watched.all.find((it) => it.metadata.uid === label(cleanup, 'user-task-uid'));
    const ended = build?.status?.completionTime ?? build?.metadata.deletionTimestamp;
    return ended !== undefined && Date.parse(cleanup.metadata.creationTimestamp) - Date.parse(ended) >= stopWait;
  }

  /** Of the same build as this one. */
  #ours(type: 'provision' | 'clean', like: Raw): Raw[] {
    const uid = label(like, 'user-task-uid');
    return this.#watched.all.filter((it) => taskType(it) === type && label(it, 'user-task-uid') === uid);
  }

  #note(violation: string): void {
    this.#violations.add(violation);
  }
}

/** Of the build, also for TaskRuns of ours. */
function namespaceOf(object: Raw): string {
  return label(object, 'user-task-namespace') ?? object.metadata.namespace;
}

function traces(taskRun: Raw): string[] {
  if (!isBuild(taskRun)) return [];
  const left = [];
  if (!isDone(taskRun)) left.push('still runs');
  if (finalizersOf(taskRun).includes(userFinalizer)) left.push('has our finalizer');
  for (const name of ['assigned-host', 'waiting-for-platform'])
    if (label(taskRun, name) !== undefined) left.push(`has label ${name}`);
  for (const name of ['wait-reason', 'queue-position'])
    if (annotation(taskRun, name) !== undefined) left.push(`has annotation ${name}`);
  return left.map((what) => `${nameOf(taskRun)} ${what}`);
}

/** Failed ones are kept for their logs, without a finalizer; those that work for no build are none of ours, or care for hosts. */
function unfinished(taskRun: Raw): string[] {
  const kept = hasFailed(taskRun) && finalizersOf(taskRun).length === 0;
  return kept || label(taskRun, 'user-task-uid') === undefined ? [] : [`TaskRun ${nameOf(taskRun)}`];
}

/** Nobody collects garbage here: a Secret whose TaskRun is gone is as good as gone. */
function isLeftSecret(secret: Raw, uids: ReadonlySet<string>): boolean {
  const owner = secret.metadata.ownerReferences?.[0]?.uid;
  return secret.metadata.name.startsWith('multi-platform-ssh-') && (owner === undefined || uids.has(owner));
}

function isCancelled(taskRun: Raw): boolean {
  return taskRun.spec.status === 'TaskRunCancelled';
}

function finalizersOf(taskRun: Raw): readonly string[] {
  return taskRun?.metadata.finalizers ?? [];
}

function nameOf({ metadata }: Raw): string {
  return `${metadata.namespace}/${metadata.name}`;
}

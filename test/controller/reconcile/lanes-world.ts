// Builds that come and go, hosts that fail, configs that change, a watch that lags and writes that fail, around the whole
// shell of the controller. Checks every claim at the moment it is written, and what is left when all is quiet.
import { allocate } from '../../../controller/allocation/allocate.ts';
import { Quarantine } from '../../../controller/allocation/quarantine.ts';
import { comparePriorities, compareRequests } from '../../../controller/allocation/waiting-order.ts';
import { limitsOf, type StaticSnapshot } from '../../../controller/allocation/pool-snapshot.ts';
import type { ApiErrorKind } from '../../../controller/kubernetes/api-errors.ts';
import { assertNever } from '../../../controller/model/assert-never.ts';
import type { HostRequest } from '../../../controller/model/host-request.ts';
import { minute, second } from '../../../controller/model/instant.ts';
import { annotations } from '../../../controller/model/labels.ts';
import type { OwnTaskRun, UserTaskRun } from '../../../controller/model/task-run.ts';
import { isWaiting, readRequest, takeSnapshot } from '../../../controller/reconcile/take-snapshot.ts';
import { aTaskRun, endedStatus, operatorNamespace, readBuild, readOwn } from '../../support/builders.ts';
import { hostConfigData } from '../../support/host-builders.ts';
import { apiError, type ClusterRequest } from '../../support/memory-cluster.ts';
import { ControllerStand } from './controller-stand.ts';

export type Step =
  | { readonly step: 'arrive'; readonly namespace: string; readonly priority: number }
  | { readonly step: 'end' | 'delete'; readonly nth: number }
  | { readonly step: 'provision' | 'cleanup'; readonly nth: number; readonly ending: 'succeeded' | 'failed' }
  | { readonly step: 'configure'; readonly slots: readonly number[]; readonly rules: Readonly<Record<string, string>> }
  | { readonly step: 'lag'; readonly lag: number }
  | { readonly step: 'fault'; readonly kind: ApiErrorKind; readonly effect: boolean }
  | { readonly step: 'pass'; readonly time: number };

const platform = 'linux/arm64';
const hostNames = ['h1', 'h2', 'h3', 'h4'];

function configOf(slots: readonly number[], rules: Readonly<Record<string, string>>): Record<string, string> {
  const hosts = Object.fromEntries(hostNames.flatMap((name, nth) => (slots[nth] ? [[name, slots[nth]]] : [])));
  return hostConfigData(hosts, { 'update-interval': 'never', ...rules });
}

export class LanesWorld {
  readonly wrong: string[] = [];
  readonly #stand = new ControllerStand(configOf([1, 2], {}));
  #arrived = 0;
  #faults: { readonly kind: ApiErrorKind; readonly effect: boolean }[] = [];
  /** Builds whose claim failed once: they step aside for a while, and others may pass. */
  readonly #disturbed = new Set<string>();
  /** A claim of theirs is being written, maybe again: their slot is kept for them. */
  readonly #attempted = new Set<string>();
  readonly #claims = new Map<string, string>();

  constructor() {
    this.#stand.cluster.fault = (request) => this.#fault(request);
    this.#stand.cluster.watch('taskruns', ({ type, object }) => {
      const build = readBuild(object);
      if (build !== undefined) this.#note(build, type === 'DELETED');
    });
    this.#stand.controller.start();
  }

  async live(next: Step): Promise<void> {
    await this.#take(next);
    await this.#stand.clock.advance(0);
  }

  /** Nothing disturbs any more, everything ends well: every build has its turn, and nothing is left. */
  async finish(): Promise<void> {
    this.#faults = [];
    this.#stand.watch.lag = 0;
    await this.live({ step: 'configure', slots: [1, 1, 1, 1], rules: {} });
    await this.#stand.clock.advance(2 * minute);
    for (let round = 0; round < 60 && this.#stand.builds().some(({ outcome }) => outcome === 'running'); round += 1) {
      this.#checkNobodyWaitsBesideAFreeSlot();
      for (const type of ['provision', 'clean'] as const)
        for (const { name } of this.#running(type)) this.#endOwn(name, 'succeeded');
      await this.#stand.clock.advance(second);
      for (const { name, namespace, facts } of this.#live())
        if (facts?.ready === true || facts?.rejected !== undefined) this.#stand.end(name, namespace);
      await this.#stand.clock.advance(minute);
    }
    // A cleanup that failed is tried again after a pause.
    for (let round = 0; round < 5; round += 1) {
      await this.#stand.clock.advance(2 * minute);
      for (const { name } of this.#running('clean')) this.#endOwn(name, 'succeeded');
    }
    await this.#stand.clock.advance(second);
    for (const { name, outcome, finalizers } of this.#stand.builds()) {
      if (outcome === 'running') this.wrong.push(`${name} never had its turn`);
      if (finalizers.length > 0) this.wrong.push(`${name} keeps a finalizer`);
    }
    if (this.#running('clean').length > 0) this.wrong.push('a host is still being cleaned');
    if ((await this.#stand.stop()) > 0) this.wrong.push('a timer is left');
  }

  async #take(next: Step): Promise<void> {
    const stand = this.#stand;
    switch (next.step) {
      case 'arrive':
        return this.#arrive(next.namespace, next.priority);
      case 'end':
      case 'delete': {
        const build = pick(this.#live(), next.nth);
        if (build === undefined) return;
        if (next.step === 'end') stand.end(build.name, build.namespace);
        else stand.cluster.remove('taskruns', build.namespace, build.name);
        return;
      }
      case 'provision':
      case 'cleanup': {
        const own = pick(this.#running(next.step === 'cleanup' ? 'clean' : 'provision'), next.nth);
        if (own !== undefined) this.#endOwn(own.name, next.ending);
        return;
      }
      case 'configure':
        return stand.configure(configOf(next.slots, next.rules));
      case 'lag':
        stand.watch.lag = next.lag;
        return;
      case 'fault':
        this.#faults.push(next);
        return;
      case 'pass':
        await stand.clock.advance(next.time);
        if (this.#faults.length === 0 && this.#disturbed.size === 0 && stand.watch.lag === 0)
          this.#checkNobodyWaitsBesideAFreeSlot();
        return;
      default:
        return assertNever(next);
    }
  }

  #arrive(namespace: string, priority: number): void {
    this.#arrived += 1;
    const name = `b${String(this.#arrived).padStart(3, '0')}`;
    const { metadata, spec, status } = aTaskRun().forPlatform(platform).raw();
    const { creationTimestamp: _, ...rest } = metadata;
    const chosen = { [annotations.priority]: String(priority) };
    this.#stand.cluster.put('taskruns', namespace, { metadata: { ...rest, name, annotations: chosen }, spec, status });
  }

  #endOwn(name: string, ending: 'succeeded' | 'failed'): void {
    const { cluster, clock } = this.#stand;
    const raw = cluster.find('taskruns', operatorNamespace, name);
    const own = raw && readOwn(raw);
    if (own?.type === 'provision' && ending === 'succeeded') {
      const secret = `multi-platform-ssh-${own.userName}`;
      if (cluster.find('secrets', own.userNamespace, secret) === undefined)
        cluster.put('secrets', own.userNamespace, { metadata: { name: secret }, data: { host: 'aA==' } });
    }
    cluster.change('taskruns', operatorNamespace, name, (object) => {
      object['status'] = endedStatus(ending, clock.now());
    });
  }

  #fault({ verb, resource, name, body }: ClusterRequest) {
    const isClaim = verb === 'patch' && resource === 'taskruns' && JSON.stringify(body).includes('"claim');
    const [fault] = this.#faults;
    if (isClaim) this.#attempted.add(name);
    if (!isClaim || fault === undefined) return undefined;
    this.#faults.shift();
    this.#disturbed.add(name);
    const error = apiError(fault.kind, 'disturbed', fault.effect);
    return fault.effect ? { after: error } : { before: error };
  }

  /** A build took a slot, or gave it back. */
  #note(build: UserTaskRun, deleted: boolean): void {
    const host = deleted ? undefined : build.facts?.claim?.host;
    const before = this.#claims.get(build.uid);
    if (host === before) return;
    if (host === undefined) this.#claims.delete(build.uid);
    else this.#claims.set(build.uid, host);
    this.#attempted.delete(build.name);
    if (host === undefined || before !== undefined) return;
    this.#checkCapacity(build, host);
    this.#checkOrder(build, host);
  }

  #checkCapacity({ name }: UserTaskRun, host: string): void {
    const holders = this.#live().filter(({ facts }) => facts?.claim?.host === host).length;
    const snapshot = this.#snapshot();
    const use = snapshot?.hosts.find((it) => it.host.name === host);
    if (use === undefined) this.wrong.push(`${name} got host ${host}, which is not configured`);
    else if (holders > use.host.concurrency)
      this.wrong.push(`${holders} builds on ${use.host.concurrency} slots of ${host}`);
    else if (use.cordoned) this.wrong.push(`${name} got cordoned host ${host}`);
  }

  /** Of those the controller knew, nobody who came before could have used the slot. */
  #checkOrder(build: UserTaskRun, host: string): void {
    const snapshot = this.#snapshot();
    const limits = snapshot && limitsOf(snapshot);
    if (snapshot === undefined || limits === undefined || limits.fairShare || limits.maxPerNamespace !== undefined)
      return;
    const order = limits.priority ? comparePriorities : compareRequests;
    const { taskRuns } = this.#stand.controller.state;
    const claimed = readRequest(build, taskRuns);
    for (const request of this.#knownWaiters()) {
      const passed = claimed !== undefined && request.uid !== build.uid && order(request, claimed) < 0;
      const excused = this.#disturbed.has(request.name) || this.#attempted.has(request.name);
      if (!passed || excused || !couldUse(snapshot, host, request, this.#stand.clock.now())) continue;
      this.wrong.push(`${build.name} overtook ${request.name} to ${host}`);
    }
  }

  #checkNobodyWaitsBesideAFreeSlot(): void {
    const snapshot = this.#snapshot();
    if (snapshot === undefined) return;
    for (const it of allocate(snapshot, this.#knownWaiters(), this.#stand.clock.now()))
      if (it.outcome === 'assign') this.wrong.push(`${it.request.name} waits, though ${it.host.name} has a free slot`);
  }

  #knownWaiters(): HostRequest[] {
    const { taskRuns } = this.#stand.controller.state;
    const waiting = this.#live().filter((build) => {
      const known = taskRuns.byUid(build.uid);
      return isWaiting(build) && known?.kind === 'user' && isWaiting(known);
    });
    return waiting.flatMap((build) => readRequest(build, taskRuns) ?? []);
  }

  #snapshot(): StaticSnapshot | undefined {
    const { hostConfig, taskRuns, hasSshSecret } = this.#stand.controller.state;
    const sources = { taskRuns, hasSshSecret, assumed: () => [], isDraining: () => false };
    const snapshot = takeSnapshot(platform, hostConfig.poolOf(platform), sources);
    return snapshot.status === 'static' ? snapshot : undefined;
  }

  #live(): UserTaskRun[] {
    return this.#stand.builds().filter(({ outcome, deleting }) => outcome === 'running' && !deleting);
  }

  #running(type: OwnTaskRun['type']): OwnTaskRun[] {
    const own = this.#stand.cluster.all('taskruns').flatMap((raw) => readOwn(raw) ?? []);
    return own.filter((it) => it.type === type && it.outcome === 'running');
  }
}

function couldUse({ hosts }: StaticSnapshot, name: string, request: HostRequest, now: number): boolean {
  const use = hosts.find(({ host }) => host.name === name);
  if (use === undefined || request.failedHosts.includes(name)) return false;
  return !new Quarantine(hosts, now).of(request.namespace).has(use);
}

function pick<Item>(items: readonly Item[], nth: number): Item | undefined {
  return items[nth % Math.max(1, items.length)];
}

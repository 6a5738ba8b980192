// A dynamic-pool with all of the controller around it. Tekton is played: TaskRuns of ours end two seconds after they were made,
// as the test says. At every change it counts hosts, and builds on each, and keeps the worst.
import type { KubeObject } from '../../../controller/kubernetes/cluster.ts';
import { hour, minute, second } from '../../../controller/model/instant.ts';
import type { OwnTaskRun } from '../../../controller/model/task-run.ts';
import { launchedHostOf } from '../../../controller/reconcile/launched-host.ts';
import { keepProviderTask } from '../../../controller/reconcile/provider-tasks.ts';
import { endedStatus, operatorNamespace, readBuild, readOwn } from '../../support/builders.ts';
import { launchedConfig, toyTasks } from '../../support/provider-builders.ts';
import { ControllerStand } from './controller-stand.ts';

export type Play = 'succeeds' | 'hangs' | { readonly fails: string };

export function poolConfig(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return launchedConfig(more, 'linux/arm64', 'dynamic-pool-platforms');
}

export function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, nth) => `b${nth}`);
}

export class PoolStand extends ControllerStand {
  /** What becomes of a TaskRun of ours. */
  play: (taskRun: OwnTaskRun) => Play = () => 'succeeds';
  /** Most hosts at once that were there or might be, and most builds at once on one. */
  mostHosts = 0;
  mostOnOne = 0;
  #addresses = 0;
  readonly #stopPlaying = new AbortController();

  constructor(config = poolConfig()) {
    super(config);
    this.cluster.watch('taskruns', ({ type, object }) => {
      if (type === 'ADDED') void this.#play(object);
      this.#count();
    });
    this.#addTasks();
  }

  override renew(): void {
    super.renew();
    this.#addTasks();
  }

  /** Its controller acts. `more`: keys of the platform, without their prefix. */
  static async begin(more: Readonly<Record<string, string>> = {}): Promise<PoolStand> {
    const stand = new PoolStand(poolConfig(more));
    stand.controller.start();
    await stand.clock.advance(second);
    return stand;
  }

  createAll(...names: readonly string[]): void {
    for (const name of names) this.create(name);
  }

  /** Time passes until then; fails when it does not come. */
  async until(what: () => boolean, atMost = hour): Promise<void> {
    for (let waited = 0; !what() && waited < atMost; waited += second) await this.clock.advance(second);
    if (!what()) throw new Error(`it did not come to this: ${what.toString()}`);
  }

  untilReady(count: number, atMost = hour): Promise<void> {
    return this.until(() => this.ready().length === count, atMost);
  }

  #addTasks(): void {
    const { providerTasks } = this.controller.state;
    for (const task of toyTasks()) {
      const { metadata, spec } = task.manifest();
      const kept = keepProviderTask({ metadata: { ...metadata, uid: metadata.name, resourceVersion: '1' }, spec });
      if (kept !== undefined) providerTasks.cache.applied(kept);
    }
    providerTasks.noteComplete();
  }

  ours(type: OwnTaskRun['type']): OwnTaskRun[] {
    const own = this.cluster.all('taskruns').flatMap((raw) => readOwn(raw) ?? []);
    return own.filter((it) => it.type === type && !it.deleting);
  }

  /** Names of the hosts that are there. */
  hosts(): string[] {
    return this.ours('launch').flatMap(({ outcome, host }) => (outcome === 'succeeded' ? [host] : []));
  }

  ready(): string[] {
    return this.builds().flatMap(({ name, facts }) => (facts?.ready === true ? [name] : []));
  }

  /** All that carries a finalizer of ours, and all TaskRuns of ours. */
  leftovers(): string[] {
    return this.cluster.all('taskruns').flatMap((raw) => {
      const { name, finalizers = [] } = raw.metadata;
      return finalizers.length > 0 || readOwn(raw) !== undefined ? [name] : [];
    });
  }

  /** This process stops acting, and one that knows nothing begins, on the same caches. */
  async handOver(): Promise<void> {
    const stopped = this.controller.stop();
    await this.clock.advance(second);
    await stopped;
    this.renew();
    this.controller.start();
  }

  /** Another process, instead of this one, gives everything back. */
  async drain(): Promise<readonly string[]> {
    const stopped = this.controller.stop();
    await this.clock.advance(second);
    await stopped;
    this.renew();
    const ended = new AbortController();
    const draining = this.controller
      .drain({ patience: 0, timeout: 10 * minute }, new AbortController().signal)
      .finally(() => ended.abort());
    while (!ended.signal.aborted) await this.clock.advance(second);
    return draining;
  }

  override async stop(): Promise<number> {
    this.#stopPlaying.abort();
    return super.stop();
  }

  async #play(object: KubeObject): Promise<void> {
    const { namespace = '', name, uid } = object.metadata;
    if (namespace !== operatorNamespace) return;
    const { signal } = this.#stopPlaying;
    await this.clock.sleep(2 * second, signal);
    while (!signal.aborted) {
      const now = this.cluster.find('taskruns', namespace, name);
      const taskRun = now?.metadata.uid === uid ? readOwn(now) : undefined;
      if (taskRun?.outcome !== 'running') return;
      const played = taskRun.cancelled ? { fails: 'cancelled' } : this.play(taskRun);
      if (played !== 'hangs') return this.#end(taskRun, played);
      await this.clock.sleep(second, signal);
    }
  }

  #end(taskRun: OwnTaskRun, played: Exclude<Play, 'hangs'>): void {
    const { name, type, userName, userNamespace } = taskRun;
    const results = played === 'succeeds' ? this.#resultsOf(taskRun) : { REASON: played.fails, MESSAGE: 'as played' };
    if (type === 'provision' && played === 'succeeds')
      this.cluster.put('secrets', userNamespace, { metadata: { name: `multi-platform-ssh-${userName}` } });
    this.cluster.change('taskruns', operatorNamespace, name, (it) => {
      it['status'] = {
        podName: 'pod',
        ...endedStatus(played === 'succeeds' ? 'succeeded' : 'failed', this.clock.now()),
        results: Object.entries(results).map(([key, value]) => ({ name: key, value })),
      };
    });
  }

  #resultsOf({ type }: OwnTaskRun): Record<string, string> {
    if (type === 'list') return { INSTANCES: '[]' };
    if (type !== 'launch') return {};
    this.#addresses += 1;
    return { INSTANCE_ID: `i-${this.#addresses}`, ADDRESS: `10.0.0.${this.#addresses}`, USER: 'toy' };
  }

  #count(): void {
    const hosts = new Set<string>();
    const builds = new Map<string, number>();
    for (const raw of this.cluster.all('taskruns')) {
      const own = readOwn(raw);
      const token = own && launchedHostOf(own);
      if (token !== undefined) hosts.add(token);
      const build = own === undefined ? readBuild(raw) : undefined;
      const host = build?.outcome === 'running' && !build.deleting ? build.facts?.claim?.host : undefined;
      if (host !== undefined) builds.set(host, (builds.get(host) ?? 0) + 1);
    }
    this.mostHosts = Math.max(this.mostHosts, hosts.size);
    this.mostOnOne = Math.max(this.mostOnOne, ...builds.values());
  }
}

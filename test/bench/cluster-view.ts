// What happens to TaskRuns, as one watch of the bench shows it, by the bench's own clock: when builds arrived and ended,
// when their provision TaskRuns appeared, and which hosts ever had more builds than slots. Changes nothing.
import type { ApiClient, Raw } from './api-client.ts';

export interface BuildTimes {
  /** status.taskSpec was there: Tekton has taken it up. */
  arrived: number | undefined;
  provisioned: number | undefined;
  ended: number | undefined;
  host: string | undefined;
}

const prefix = 'build.appstudio.redhat.com/';
const patience = 90_000;

export class ClusterView {
  readonly #builds = new Map<string, BuildTimes>();
  readonly #own = new Map<string, string>();
  readonly #provisions = new Set<string>();
  #slots = Infinity;
  readonly #wakers = new Set<() => void>();
  /** Most builds ever seen at once, by host. */
  #most = new Map<string, number>();

  async follow(client: ApiClient): Promise<never> {
    return client.watch('/apis/tekton.dev/v1/taskruns?labelSelector=bench%21%3Dforeign', (type, object) => {
      this.#note(type, object);
      for (const wake of this.#wakers) wake();
    });
  }

  /** Forgets what was; hosts of the work to come have so many slots. */
  begin(slots: number): void {
    this.#slots = slots;
    this.#most = new Map();
    this.#builds.clear();
  }

  times(namespace: string, name: string): BuildTimes {
    const key = `${namespace}/${name}`;
    const times = this.#builds.get(key) ?? {
      arrived: undefined,
      provisioned: undefined,
      ended: undefined,
      host: undefined,
    };
    this.#builds.set(key, times);
    return times;
  }

  /** TaskRuns of the controller in that namespace. */
  ownIn(namespace: string): number {
    return [...this.#own.values()].filter((it) => it === namespace).length;
  }

  /** Hosts that ever had more builds than slots, and the most builds any host had. */
  overCapacity(): { readonly hosts: number; readonly worst: number } {
    const counts = [...this.#most.values()];
    return { hosts: counts.filter((it) => it > this.#slots).length, worst: Math.max(0, ...counts) };
  }

  /** False when it did not come true in time. */
  async until(condition: () => boolean, within = patience): Promise<boolean> {
    if (condition()) return true;
    return new Promise((resolve) => {
      const settle = (came: boolean): void => {
        clearTimeout(timer);
        this.#wakers.delete(look);
        resolve(came);
      };
      const look = (): void => {
        if (condition()) settle(true);
      };
      const timer = setTimeout(() => settle(false), within);
      this.#wakers.add(look);
    });
  }

  #note(type: string, object: Raw): void {
    const { namespace, name, uid, labels = {} } = object.metadata;
    if (labels[`${prefix}task-type`] === undefined) this.#noteBuild(type, object, this.times(namespace, name));
    else this.#noteOwn(type, uid, namespace, labels);
  }

  #noteOwn(type: string, uid: string, namespace: string, labels: Readonly<Record<string, string>>): void {
    if (type === 'DELETED') this.#own.delete(uid);
    else this.#own.set(uid, namespace);
    if (type !== 'ADDED' || labels[`${prefix}task-type`] !== 'provision' || this.#provisions.has(uid)) return;
    this.#provisions.add(uid);
    const times = this.times(labels[`${prefix}user-task-namespace`] ?? '', labels[`${prefix}user-task-name`] ?? '');
    times.provisioned ??= performance.now();
  }

  #noteBuild(type: string, object: Raw, times: BuildTimes): void {
    const { status = {}, metadata } = object;
    if (status.taskSpec !== undefined) times.arrived ??= performance.now();
    if (status.completionTime !== undefined || type === 'DELETED') times.ended ??= performance.now();
    times.host = times.ended === undefined ? metadata.labels?.[`${prefix}assigned-host`] : undefined;
    const { host } = times;
    if (host === undefined) return;
    const now = [...this.#builds.values()].filter((it) => it.host === host).length;
    this.#most.set(host, Math.max(now, this.#most.get(host) ?? 0));
  }
}

// All TaskRuns of an API server as a second connection sees them, change by change and in the server's own order. It
// only looks: what is right or wrong about them is said in invariants.ts, what is done about them in play-tekton.ts.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiServer } from './api-server.ts';
import type { Raw } from './observed-task-run.ts';

export type ChangeListener = (before: Raw, after: Raw) => void;

const path = '/apis/tekton.dev/v1/taskruns';
/** The API server is away: tests restart it. */
const pause = 50;

export class WatchedTaskRuns {
  readonly #api: ApiServer;
  readonly #stop = new AbortController();
  readonly #byUid = new Map<string, Raw>();
  readonly #ever = new Map<string, Raw>();
  readonly #failures: unknown[] = [];
  readonly #listeners = new Set<ChangeListener>();
  #running: Promise<void> = Promise.resolve();
  #skipped = false;

  private constructor(api: ApiServer) {
    this.#api = api;
  }

  /** Resolves when what is there already is known. */
  static async start(api: ApiServer): Promise<WatchedTaskRuns> {
    const watched = new WatchedTaskRuns(api);
    const version = await watched.#list();
    watched.#running = watched.#follow(version);
    return watched;
  }

  /** As of now, in no order. */
  get all(): readonly Raw[] {
    return [...this.#byUid.values()];
  }

  /** Everything there ever was, as last seen, in the order of its appearance. */
  get ever(): readonly Raw[] {
    return [...this.#ever.values()];
  }

  /** The change being told is a leap: steps between were not seen, as after the API server was away. */
  get skipped(): boolean {
    return this.#skipped;
  }

  /** Called once for each that is there already, then at every change. Returns how to stop that. */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    for (const taskRun of this.#byUid.values()) listener(undefined, taskRun);
    return () => this.#listeners.delete(listener);
  }

  /** Looks now and after every change until there is something; the test's own time-out ends it otherwise. */
  until<Value>(look: (all: readonly Raw[]) => Value | undefined | false): Promise<Value> {
    return new Promise((resolve, reject) => {
      const attempt = (): boolean => {
        try {
          const value = look(this.all);
          if (value === undefined || value === false) return false;
          resolve(value);
        } catch (error) {
          reject(error);
        }
        return true;
      };
      if (attempt()) return;
      const leave = (): void => reject(new Error('the watch of TaskRuns was stopped'));
      this.#stop.signal.addEventListener('abort', leave, { once: true });
      const listener = (): void => {
        if (!attempt()) return;
        this.#listeners.delete(listener);
        this.#stop.signal.removeEventListener('abort', leave);
      };
      this.#listeners.add(listener);
    });
  }

  /** Rejects when a listener failed. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #follow(since: string): Promise<void> {
    const { signal } = this.#stop;
    let version: string | undefined = since;
    while (!signal.aborted) {
      try {
        version ??= await this.#list();
        for await (const { type, object } of this.#api.watch(watchFrom(version), signal)) {
          if (type === 'ERROR') throw new Error(object.message);
          version = object.metadata.resourceVersion;
          if (type !== 'BOOKMARK') this.#note(object, type === 'DELETED');
        }
      } catch {
        // Cut, expired, or away: everything is read anew.
        version = undefined;
        if (!signal.aborted) await sleep(pause);
      }
    }
  }

  async #list(): Promise<string> {
    const list = await this.#api.ask('GET', path);
    const there = new Map<string, Raw>(list.items.map((item: Raw) => [item.metadata.uid, item]));
    const changes: [Raw, Raw][] = [];
    for (const uid of new Set([...this.#byUid.keys(), ...there.keys()])) {
      const [before, after] = [this.#byUid.get(uid), there.get(uid)];
      if (before?.metadata.resourceVersion !== after?.metadata.resourceVersion) changes.push([before, after]);
    }
    this.#byUid.clear();
    for (const [uid, item] of there) this.#byUid.set(uid, item);
    // Told once the picture is whole: in which order it came about is unknown.
    this.#skipped = true;
    for (const [before, after] of changes) this.#tell(before, after);
    this.#skipped = false;
    return list.metadata.resourceVersion;
  }

  #note(taskRun: Raw, gone: boolean): void {
    const { uid } = taskRun.metadata;
    const before = this.#byUid.get(uid);
    if (gone) this.#byUid.delete(uid);
    else this.#byUid.set(uid, taskRun);
    this.#tell(before, gone ? undefined : taskRun);
  }

  #tell(before: Raw, after: Raw): void {
    if (after !== undefined) this.#ever.set(after.metadata.uid, after);
    for (const listener of this.#listeners) {
      try {
        listener(before, after);
      } catch (error) {
        this.#failures.push(error);
      }
    }
  }
}

function watchFrom(version: string): string {
  return `${path}?watch=true&allowWatchBookmarks=true&resourceVersion=${version}`;
}

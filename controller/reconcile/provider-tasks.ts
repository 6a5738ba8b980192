// The Tasks of providers in the operator namespace. Whether they make a provider is for config/find-provider.ts.
import { Cache, type CachedObject } from '../kubernetes/cache.ts';
import type { KubeObject } from '../kubernetes/cluster.ts';
import type { ProviderTask, ProviderTasks } from '../model/provider.ts';
import { readProviderTask } from '../taskruns/read-provider-task.ts';

export interface KeptTask extends CachedObject {
  readonly task: ProviderTask;
}

export class KnownProviderTasks {
  readonly cache: Cache<KeptTask>;
  #complete = false;
  #noted = false;
  #onNews: (tasks: ProviderTasks) => void = () => undefined;

  constructor(onListenerError: (error: unknown) => void) {
    this.cache = new Cache({ index: {}, onListenerError });
    this.cache.onChange(() => this.#note());
  }

  /** Called with all of them once they were listed, and after changes: those that come together make one call. */
  onNews(listener: (tasks: ProviderTasks) => void): void {
    this.#onNews = listener;
  }

  /** They were listed, however few there are. */
  noteComplete(): void {
    this.#complete = true;
    this.#note();
  }

  #note(): void {
    if (!this.#complete || this.#noted) return;
    this.#noted = true;
    queueMicrotask(() => {
      this.#noted = false;
      this.#onNews(new Map([...this.cache.values()].map(({ name, task }) => [name, task])));
    });
  }
}

export function keepProviderTask(raw: KubeObject): KeptTask | undefined {
  const { uid, name, namespace = '', resourceVersion } = raw.metadata;
  const task = readProviderTask(raw);
  return task === undefined ? undefined : { uid, namespace, name, resourceVersion, task };
}

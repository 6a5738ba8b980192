// From an object as the API sent it to what the cache keeps, for one reflector. An object that cannot be projected stays
// as it was last known: a bug in reading it must not look like its deletion.
import type { CachedObject } from './cache.ts';
import type { KubeObject } from './cluster.ts';
import type { WatchEvent } from './watch-event.ts';

interface KnownObjects<T> {
  watched(uid: string): T | undefined;
}

export class Projection<T extends CachedObject> {
  readonly #project: (raw: KubeObject) => T | undefined;
  readonly #known: KnownObjects<T>;
  readonly #onError: (error: unknown) => void;

  constructor(project: (raw: KubeObject) => T | undefined, known: KnownObjects<T>, onError: (error: unknown) => void) {
    this.#project = project;
    this.#known = known;
    this.#onError = onError;
  }

  ofEvent({ object, unmarked }: WatchEvent): T | undefined {
    return unmarked === true ? undefined : this.of(object);
  }

  of(raw: KubeObject): T | undefined {
    try {
      return this.#project(raw);
    } catch (error) {
      this.#onError(error);
      return this.#known.watched(raw.metadata.uid);
    }
  }
}

export function identityOf(raw: KubeObject): CachedObject {
  const { uid, namespace = '', name, resourceVersion } = raw.metadata;
  return { uid, namespace, name, resourceVersion };
}

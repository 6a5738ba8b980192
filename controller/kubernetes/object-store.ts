// Objects by uid, by namespace/name and by named indexes, with change listeners. Knows nothing of watches or writes:
// cache.ts decides what is visible, this file only holds it.

export interface CachedObject {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Opaque: compared by equality only. */
  readonly resourceVersion: string;
}

/** `previous` is undefined for a new object, `next` for one that is gone. */
export type ChangeListener<T> = (previous: T | undefined, next: T | undefined) => void;

/** The value an object is found by, or undefined when it is not in that index. */
export type Indexes<T, IndexName extends string> = Readonly<Record<IndexName, (object: T) => string | undefined>>;

export function keyOf(object: { readonly namespace: string; readonly name: string }): string {
  return `${object.namespace}/${object.name}`;
}

export class ObjectStore<T extends CachedObject, IndexName extends string> {
  readonly #byKey = new Map<string, T>();
  readonly #byUid = new Map<string, T>();
  readonly #indexes: { readonly name: IndexName; readonly valueOf: (object: T) => string | undefined }[] = [];
  readonly #buckets = new Map<IndexName, Map<string, Set<T>>>();
  readonly #listeners = new Set<ChangeListener<T>>();
  readonly #onListenerError: (error: unknown) => void;

  constructor(indexes: Indexes<T, IndexName>, onListenerError: (error: unknown) => void) {
    for (const name in indexes) {
      this.#indexes.push({ name, valueOf: indexes[name] });
      this.#buckets.set(name, new Map());
    }
    this.#onListenerError = onListenerError;
  }

  get size(): number {
    return this.#byKey.size;
  }

  byKey(key: string): T | undefined {
    return this.#byKey.get(key);
  }

  byUid(uid: string): T | undefined {
    return this.#byUid.get(uid);
  }

  by(index: IndexName, value: string): Iterable<T> {
    return this.#buckets.get(index)?.get(value) ?? [];
  }

  /** How many by() gives. */
  count(index: IndexName, value: string): number {
    return this.#buckets.get(index)?.get(value)?.size ?? 0;
  }

  values(): Iterable<T> {
    return this.#byKey.values();
  }

  listen(listener: ChangeListener<T>): void {
    this.#listeners.add(listener);
  }

  /** Makes `next` the object of that key. Another uid under the same key is told as a removal and an addition. */
  set(key: string, next: T | undefined): void {
    const previous = this.#byKey.get(key);
    if (previous === next) return;
    if (previous !== undefined) this.#unlink(key, previous);
    if (next !== undefined) this.#link(key, next);
    if (previous !== undefined && next !== undefined && previous.uid !== next.uid) {
      this.#tell(previous, undefined);
      this.#tell(undefined, next);
    } else if (previous?.resourceVersion !== next?.resourceVersion) {
      this.#tell(previous, next);
    }
  }

  #link(key: string, object: T): void {
    this.#byKey.set(key, object);
    this.#byUid.set(object.uid, object);
    for (const { name, valueOf } of this.#indexes) {
      const value = valueOf(object);
      if (value === undefined) continue;
      const buckets = this.#buckets.get(name);
      const bucket = buckets?.get(value);
      if (bucket === undefined) buckets?.set(value, new Set([object]));
      else bucket.add(object);
    }
  }

  #unlink(key: string, object: T): void {
    this.#byKey.delete(key);
    this.#byUid.delete(object.uid);
    for (const { name, valueOf } of this.#indexes) {
      const value = valueOf(object);
      if (value === undefined) continue;
      const buckets = this.#buckets.get(name);
      const bucket = buckets?.get(value);
      bucket?.delete(object);
      if (bucket?.size === 0) buckets?.delete(value);
    }
  }

  #tell(previous: T | undefined, next: T | undefined): void {
    for (const listener of this.#listeners) {
      try {
        listener(previous, next);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }
}

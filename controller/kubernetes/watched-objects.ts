// What the watch alone says: the objects it delivered, the versions it delivered lately, the uids it deleted. A part of
// cache.ts, which lays our own writes over it.
import { keyOf } from './object-store.ts';
import type { CachedObject } from './object-store.ts';

interface Watched<T> {
  readonly object: T;
  /** Versions delivered lately, newest last: a response of ours may arrive after the watch has moved on. */
  readonly recent: readonly string[];
}

/** Far more than an object changes between a request and its response. */
const recentVersions = 8;
/** Objects remembered after they went, so that a late response does not bring them back. */
const rememberedDepartures = 1024;

export class WatchedObjects<T extends CachedObject> {
  readonly #byKey = new Map<string, Watched<T>>();
  readonly #keyByUid = new Map<string, string>();
  /** What went, by uid; null: deleted, so nothing of it can be news. */
  readonly #departed = new Map<string, Watched<T> | null>();

  keys(): Iterable<string> {
    return this.#byKey.keys();
  }

  get(key: string): T | undefined {
    return this.#byKey.get(key)?.object;
  }

  byUid(uid: string): T | undefined {
    const key = this.#keyByUid.get(uid);
    return key === undefined ? undefined : this.get(key);
  }

  /** Also what stopped being of interest, as long as it is remembered. */
  everSeen(uid: string): T | undefined {
    return this.byUid(uid) ?? this.#departed.get(uid)?.object;
  }

  /** True when that very version was delivered, whatever came after it. */
  hasSeen(uid: string, resourceVersion: string): boolean {
    const key = this.#keyByUid.get(uid);
    const watched = key === undefined ? this.#departed.get(uid) : this.#byKey.get(key);
    return watched?.recent.includes(resourceVersion) ?? false;
  }

  isDeleted(uid: string): boolean {
    return this.#departed.get(uid) === null;
  }

  /** The same key with another uid means that the older object was deleted. */
  set(key: string, object: T): void {
    const before = this.#byKey.get(key);
    if (before !== undefined && before.object.uid !== object.uid) this.delete(before.object.uid);
    const seen = (before?.object.uid === object.uid ? before : this.#departed.get(object.uid))?.recent ?? [];
    const newest = object.resourceVersion;
    const recent = seen.at(-1) === newest ? seen : [...seen, newest].slice(-recentVersions);
    this.#byKey.set(key, { object, recent });
    this.#keyByUid.set(object.uid, key);
    this.#departed.delete(object.uid);
  }

  /** Takes it out; the uid may come back (an object that stopped being of interest). */
  drop(uid: string): void {
    const dropped = this.#remove(uid);
    if (dropped !== undefined) this.#remember(uid, dropped);
  }

  /** Takes it out for good: a uid is never used again. */
  delete(uid: string): void {
    this.#remove(uid);
    this.#remember(uid, null);
  }

  /** Makes it exactly these: what is not listed was deleted. */
  replace(objects: Iterable<T>): void {
    const listed = new Map<string, T>();
    for (const object of objects) listed.set(keyOf(object), object);
    for (const [key, { object }] of this.#byKey) {
      if (listed.get(key)?.uid !== object.uid) this.delete(object.uid);
    }
    for (const [key, object] of listed) this.set(key, object);
  }

  #remove(uid: string): Watched<T> | undefined {
    const key = this.#keyByUid.get(uid);
    if (key === undefined) return undefined;
    const removed = this.#byKey.get(key);
    this.#keyByUid.delete(uid);
    this.#byKey.delete(key);
    return removed;
  }

  #remember(uid: string, departed: Watched<T> | null): void {
    this.#departed.set(uid, departed);
    if (this.#departed.size <= rememberedDepartures) return;
    const [oldest] = this.#departed.keys();
    if (oldest !== undefined) this.#departed.delete(oldest);
  }
}

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
/** So that a late response does not bring a deleted object back. */
const rememberedDeletions = 1024;

export class WatchedObjects<T extends CachedObject> {
  readonly #byKey = new Map<string, Watched<T>>();
  readonly #keyByUid = new Map<string, string>();
  readonly #deletedUids = new Set<string>();

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

  /** True when that very version was delivered, whatever came after it. */
  hasSeen(key: string, uid: string, resourceVersion: string): boolean {
    const watched = this.#byKey.get(key);
    return watched?.object.uid === uid && watched.recent.includes(resourceVersion);
  }

  isDeleted(uid: string): boolean {
    return this.#deletedUids.has(uid);
  }

  /** The same key with another uid means that the older object was deleted. */
  set(key: string, object: T): void {
    const before = this.#byKey.get(key);
    const same = before?.object.uid === object.uid;
    if (before !== undefined && !same) this.delete(before.object.uid);
    const seen = same ? before.recent : [];
    const newest = object.resourceVersion;
    const recent = seen.at(-1) === newest ? seen : [...seen, newest].slice(-recentVersions);
    this.#byKey.set(key, { object, recent });
    this.#keyByUid.set(object.uid, key);
    this.#deletedUids.delete(object.uid);
  }

  /** Takes it out; the uid may come back (an object that stopped being of interest). */
  drop(uid: string): void {
    const key = this.#keyByUid.get(uid);
    if (key === undefined) return;
    this.#keyByUid.delete(uid);
    if (this.#byKey.get(key)?.object.uid === uid) this.#byKey.delete(key);
  }

  /** Takes it out for good: a uid is never used again. */
  delete(uid: string): void {
    this.drop(uid);
    this.#deletedUids.add(uid);
    if (this.#deletedUids.size <= rememberedDeletions) return;
    const [oldest] = this.#deletedUids;
    if (oldest !== undefined) this.#deletedUids.delete(oldest);
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
}

// What the controller believes the cluster looks like: the watch's state, with our own writes laid over it until the
// watch has caught up with them (read-your-writes). Decides which of the two a reader sees; asks the API nothing.
//
// Resource versions are compared by equality only, so "has the watch caught up?" is answered by facts alone:
// the exact version was delivered, the object was deleted, or a list that began after the write has replaced all.
import { keyOf, ObjectStore } from './object-store.ts';
import { WatchedObjects } from './watched-objects.ts';
import type { CachedObject, ChangeListener, Indexes } from './object-store.ts';

export type { CachedObject } from './object-store.ts';

export interface CacheOptions<T extends CachedObject, IndexName extends string> {
  readonly index: Indexes<T, IndexName>;
  /** A listener threw. The cache goes on; somebody should count and log it. */
  readonly onListenerError: (error: unknown) => void;
}

/** A point in the order of our writes; see relisting(). */
export type WriteMark = number;

/** An own write the watch has not shown yet. */
export interface Unsettled {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

interface Overlay<T> extends Unsettled {
  /** What readers see; undefined: hidden. */
  readonly shown: T | undefined;
  /** What the watch must say before this is over: that very version, that the object went, that it was deleted. */
  readonly awaits: { readonly version: string } | 'departure' | 'deletion';
  readonly mark: WriteMark;
}

export class Cache<T extends CachedObject, IndexName extends string = never> {
  readonly #store: ObjectStore<T, IndexName>;
  readonly #watched = new WatchedObjects<T>();
  readonly #overlays = new Map<string, Overlay<T>>();
  #writes = 0;

  constructor(options: CacheOptions<T, IndexName>) {
    this.#store = new ObjectStore(options.index, options.onListenerError);
  }

  // ---- readers

  get size(): number {
    return this.#store.size;
  }

  byUid(uid: string): T | undefined {
    return this.#store.byUid(uid);
  }

  get(namespace: string, name: string): T | undefined {
    return this.#store.byKey(keyOf({ namespace, name }));
  }

  /** Objects with that value in the named index. Not to be kept: it changes with the cache. */
  by(index: IndexName, value: string): Iterable<T> {
    return this.#store.by(index, value);
  }

  /** How many by() gives, without going through them. */
  count(index: IndexName, value: string): number {
    return this.#store.count(index, value);
  }

  values(): Iterable<T> {
    return this.#store.values();
  }

  /** Called after every visible change. Listeners only note that something changed; they never write here. */
  onChange(listener: ChangeListener<T>): void {
    this.#store.listen(listener);
  }

  // ---- our own writes

  /**
   * The response of our own create or patch. Readers see it at once, and nothing older until the watch has caught up.
   * Writes under one name are made one after another; what arrives last is taken for the newest.
   */
  written(object: T): void {
    const key = keyOf(object);
    const late = this.#watched.isDeleted(object.uid) || this.#watched.hasSeen(object.uid, object.resourceVersion);
    // A late answer also ends what was written under that name before.
    if (late) this.#overlays.delete(key);
    else this.#lay(key, { ...identityOf(object), shown: object, awaits: { version: object.resourceVersion } });
    this.#refresh(key);
  }

  /** We deleted it and the API said it is gone: hidden until the watch says so too. */
  deletedByUs(uid: string): void {
    const object = this.#store.byUid(uid) ?? this.#watched.everSeen(uid);
    if (object === undefined) return;
    const key = keyOf(object);
    this.#lay(key, { ...identityOf(object), shown: undefined, awaits: 'deletion' });
    this.#refresh(key);
  }

  /** Own writes not yet confirmed. One that stays for long is settled by reading it: see confirmed(). */
  unsettled(): readonly Unsettled[] {
    return [...this.#overlays.values()];
  }

  /**
   * `unsettled`, read again from the API server after it was returned by unsettled(): the object now, or undefined when
   * that uid is gone or no longer ours. Heals the rare cases in which the watch can never show our exact version,
   * for instance a list taken while the write was under way that already holds somebody's later change.
   */
  confirmed(unsettled: Unsettled, now: T | undefined): void {
    const key = keyOf(unsettled);
    if (this.#overlays.get(key) !== unsettled) return;
    if (now !== undefined && !this.#watched.hasSeen(now.uid, now.resourceVersion)) {
      this.#lay(key, { ...identityOf(now), shown: now, awaits: { version: now.resourceVersion } });
    } else if (now === undefined && this.#watched.get(key)?.uid === unsettled.uid) {
      this.#lay(key, { ...identityOf(unsettled), shown: undefined, awaits: 'departure' });
    } else {
      this.#overlays.delete(key);
    }
    this.#refresh(key);
  }

  // ---- the watch

  /** What the watch said last, whatever we wrote since. */
  watched(uid: string): T | undefined {
    return this.#watched.byUid(uid);
  }

  /** ADDED or MODIFIED. */
  applied(object: T): void {
    const key = keyOf(object);
    this.#watched.set(key, object);
    this.#settle(key, object, false);
  }

  /** DELETED. */
  deleted(object: CachedObject): void {
    const key = keyOf(object);
    const overlay = this.#overlays.get(key);
    const known = overlay?.uid === object.uid || this.#watched.everSeen(object.uid) !== undefined;
    if (!known) return;
    this.#watched.delete(object.uid);
    if (overlay?.uid === object.uid) this.#overlays.delete(key);
    this.#refresh(key);
  }

  /** ADDED or MODIFIED, but no longer something we keep. It may come back under the same uid. */
  dropped(object: CachedObject): void {
    const key = keyOf(object);
    this.#watched.drop(object.uid);
    this.#settle(key, object, true);
  }

  /** To be called before a list request is sent, and handed to replace() with its answer. */
  relisting(): WriteMark {
    return this.#writes;
  }

  /** Everything there is, as a list saw it that began at `began`. */
  replace(began: WriteMark, objects: Iterable<T>): void {
    const before = [...this.#watched.keys(), ...this.#overlays.keys()];
    this.#watched.replace(objects);
    const keys = new Set<string>([...before, ...this.#watched.keys()]);
    for (const [key, overlay] of this.#overlays) {
      const caughtUp =
        overlay.mark <= began ||
        this.#watched.isDeleted(overlay.uid) ||
        (typeof overlay.awaits === 'object' && this.#watched.hasSeen(overlay.uid, overlay.awaits.version));
      if (caughtUp) this.#overlays.delete(key);
    }
    for (const key of keys) this.#refresh(key);
  }

  // ---- inside

  #lay(key: string, overlay: Omit<Overlay<T>, 'mark'>): void {
    this.#writes += 1;
    this.#overlays.set(key, { ...overlay, mark: this.#writes });
  }

  /** Ends our own write over that key if this event is what it waited for. */
  #settle(key: string, event: CachedObject, departed: boolean): void {
    const overlay = this.#overlays.get(key);
    if (overlay?.uid === event.uid) {
      const { awaits } = overlay;
      const over =
        typeof awaits === 'object' ? awaits.version === event.resourceVersion : departed && awaits === 'departure';
      if (over) this.#overlays.delete(key);
    }
    this.#refresh(key);
  }

  #refresh(key: string): void {
    const overlay = this.#overlays.get(key);
    this.#store.set(key, overlay === undefined ? this.#watched.get(key) : overlay.shown);
  }
}

function identityOf(object: Unsettled): Unsettled {
  return { namespace: object.namespace, name: object.name, uid: object.uid };
}

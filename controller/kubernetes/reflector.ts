// Keeps one cache like one resource of the cluster: list, then watch, for ever, through every kind of trouble. Decides
// when to resume, when to list again and how long to wait; what an object means is for `project` and the cache.
import type { Clock } from '../model/clock.ts';
import type { Duration } from '../model/instant.ts';
import { ApiError } from './api-errors.ts';
import { Backoff } from './backoff.ts';
import type { Cache, CachedObject, WriteMark } from './cache.ts';
import type { KubeObject } from './cluster.ts';
import type { ApiRequest } from './http-transport.ts';
import { limitedSignal } from './limited-signal.ts';
import { isNotNewer } from './is-not-newer.ts';
import { InitialEvents, listPages } from './object-list.ts';
import { identityOf, Projection } from './projection.ts';
import { standardTuning } from './reflector-tuning.ts';
import type { ReflectorTuning } from './reflector-tuning.ts';
import { rereadWith, settleWrites } from './settle-writes.ts';
import { acceptOf, watchPath } from './watch-query.ts';
import type { WatchScope } from './watch-query.ts';
import { watchEvents } from './watch-stream.ts';
import type { WatchEvent } from './watch-event.ts';

/** The part of HttpTransport that is needed here. */
export interface WatchSender {
  request(request: ApiRequest): Promise<string>;
  /** `onAnswer`: the server has taken the request; it may then be silent for long. */
  stream(
    request: ApiRequest,
    signal: AbortSignal,
    idleLimit: Duration,
    onAnswer?: () => void,
  ): AsyncIterable<Uint8Array>;
}

export type ReflectorTrouble =
  /** A request or connection failed; it is tried again. */
  | 'watch'
  /** The version to go on from is no longer known, as is usual where little changes: everything is listed again. */
  | 'expired'
  /** `project` threw: the object stays as it was known. */
  | 'project';

export interface ReflectorOptions<T extends CachedObject, IndexName extends string> {
  readonly scope: WatchScope;
  readonly cache: Cache<T, IndexName>;
  /** Called for every object as it arrives; undefined: not kept at all. */
  readonly project: (raw: KubeObject) => T | undefined;
  /** Texts of which each object that `project` keeps holds at least one: objects with none are not even read. */
  readonly marks?: readonly string[];
  readonly sender: WatchSender;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onTrouble: (trouble: ReflectorTrouble, error: unknown) => void;
  readonly tuning?: Partial<ReflectorTuning>;
}

/** The server ends a watch itself; this long after that time, something is wrong. */
const overtime: Duration = 5_000;

export class Reflector<T extends CachedObject, IndexName extends string = never> {
  readonly #options: ReflectorOptions<T, IndexName>;
  readonly #tuning: ReflectorTuning;
  readonly #projection: Projection<T>;
  readonly #backoff: Backoff;
  /** Kept apart: a list that succeeds says nothing about whether its version will still be known a moment later. */
  readonly #expiredBackoff: Backoff;
  readonly #firstSync: Promise<void>;
  #firstSynced: () => void = () => undefined;
  #resumeFrom: string | undefined;
  #streamingLists = true;
  #synced = false;
  #lastActivity: Duration;
  #failures = 0;
  #watches = 0;
  #lists = 0;

  constructor(options: ReflectorOptions<T, IndexName>) {
    this.#options = options;
    this.#tuning = { ...standardTuning, ...options.tuning };
    const { cache, project, onTrouble, clock, random } = options;
    this.#projection = new Projection(project, cache, (error) => onTrouble('project', error));
    this.#backoff = new Backoff(this.#tuning.shortestBackoff, this.#tuning.longestBackoff, random);
    this.#expiredBackoff = new Backoff(this.#tuning.shortestBackoff, this.#tuning.longestBackoff, random);
    this.#lastActivity = clock.monotonic();
    this.#firstSync = new Promise((resolve) => (this.#firstSynced = resolve));
  }

  /** True from the first complete list on. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Resolves with the first complete list; never, if the reflector is stopped before. */
  async untilSynced(): Promise<void> {
    await this.#firstSync;
  }

  /** Monotonic time at which the server last sent something. */
  get lastActivity(): Duration {
    return this.#lastActivity;
  }

  /** Watches opened after the first one. */
  get restarts(): number {
    return Math.max(0, this.#watches - 1);
  }

  /** Complete lists after the first one. */
  get relists(): number {
    return Math.max(0, this.#lists - 1);
  }

  /** Runs until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#follow(signal), this.#settle(signal)]);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let delay = this.#tuning.reconnectDelay;
      try {
        if (this.#resumeFrom !== undefined || this.#streamingLists) await this.#watch(signal);
        else await this.#listPages();
      } catch (error) {
        if (isAborted(signal)) return;
        delay = this.#delayAfter(error);
      }
      if (!isAborted(signal)) await this.#options.clock.sleep(delay, signal);
    }
  }

  /** Watches from where we were or, where that is unknown, through a streaming list. Returns when the server ends it. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { scope, sender, cache, random, clock } = this.#options;
    const lasting = this.#tuning.watchLasts * (1 + random());
    const path = watchPath(scope, this.#resumeFrom, lasting);
    let initial = this.#resumeFrom === undefined ? new InitialEvents(this.#projection) : undefined;
    const began = cache.relisting();
    const opened = clock.monotonic();
    const limited = limitedSignal(signal, lasting + overtime);
    this.#watches += 1;
    let progress = false;
    try {
      const { resource } = scope;
      const request = { verb: 'watch', resource, path, accept: acceptOf(scope, false), ...safe } as const;
      const bytes = sender.stream(request, limited.signal, this.#tuning.idleLimit, () => this.#noteActivity());
      for await (const event of watchEvents(bytes, this.#options.marks)) {
        this.#noteActivity();
        if (initial === undefined) {
          this.#apply(event);
          progress = true;
          this.#expiredBackoff.reset();
          this.#progressed();
        } else if (initial.take(event)) {
          this.#completeList(began, initial.objects(), event.object.metadata.resourceVersion);
          initial = undefined;
        }
      }
    } finally {
      limited.release();
    }
    this.#noteActivity();
    // Nothing happened, and the server ended it in due time: that is usual where little changes.
    const quiet = initial === undefined && clock.monotonic() - opened >= lasting / 2;
    if (!progress && !quiet)
      throw new ApiError({ kind: 'unavailable', message: `watch ${path}: ended without an event` });
  }

  #apply(event: WatchEvent): void {
    const { type, object } = event;
    const { cache } = this.#options;
    const { resourceVersion } = object.metadata;
    // Told again, as by a proxy that replays: states that are over lead to decisions that are wrong.
    const isOld = isNotNewer(resourceVersion, this.#resumeFrom);
    if (type === 'DELETED') {
      // Once gone, gone for ever.
      cache.deleted(identityOf(object));
    } else if (type !== 'BOOKMARK' && !isOld) {
      const projected = this.#projection.ofEvent(event);
      if (projected === undefined) cache.dropped(identityOf(object));
      else cache.applied(projected);
    }
    if (!isOld) this.#resumeFrom = resourceVersion;
  }

  async #listPages(): Promise<void> {
    const { scope, sender, cache } = this.#options;
    const began = cache.relisting();
    const listed = await listPages(scope, sender, this.#projection, this.#tuning.pageSize, () => this.#noteActivity());
    this.#completeList(began, listed.objects, listed.resourceVersion);
  }

  #completeList(began: WriteMark, objects: Iterable<T>, resourceVersion: string): void {
    this.#options.cache.replace(began, objects);
    this.#resumeFrom = resourceVersion;
    this.#progressed();
    this.#lists += 1;
    this.#synced = true;
    this.#firstSynced();
  }

  #noteActivity(): void {
    this.#lastActivity = this.#options.clock.monotonic();
  }

  #progressed(): void {
    this.#backoff.reset();
    this.#failures = 0;
  }

  /** Notes what an error means for the next try, and says how long to wait for it. */
  #delayAfter(error: unknown): Duration {
    const { onTrouble } = this.#options;
    if (!(error instanceof ApiError)) {
      // Not a watch at all, or a mistake of ours: nothing that was read since can be trusted.
      this.#resumeFrom = undefined;
      onTrouble('watch', error);
      return this.#backoff.next();
    }
    const { kind, code } = error;
    if ((code === 422 || code === 400) && this.#resumeFrom === undefined && this.#streamingLists) {
      // An older server, or one with the feature switched off: an answer, not a trouble.
      this.#streamingLists = false;
      return 0;
    }
    onTrouble(kind === 'expired' ? 'expired' : 'watch', error);
    const delay = kind === 'expired' ? this.#expiredBackoff.next() : this.#backoff.next();
    // A server that cannot be reached says nothing about our version; one that keeps failing might mean it.
    if (kind === 'timeout' || error.code !== undefined) this.#failures += 1;
    const distrust = this.#failures >= this.#tuning.failuresBeforeRelist;
    if (kind === 'expired' || distrust) this.#resumeFrom = undefined;
    return error.retryAfter === undefined ? delay : Math.max(error.retryAfter, this.#tuning.shortestBackoff);
  }

  async #settle(signal: AbortSignal): Promise<void> {
    const { scope, sender, cache, clock, onTrouble } = this.#options;
    const every = this.#tuning.settleAfter;
    const project = (raw: KubeObject): T | undefined => this.#projection.of(raw);
    const onError = (error: unknown): void => onTrouble('watch', error);
    await settleWrites({ cache, clock, every, project, onError, read: rereadWith(sender, scope) }, signal);
  }
}

const safe = { repeatable: true, fenced: false } as const;

/** Read anew: it changes while we wait. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

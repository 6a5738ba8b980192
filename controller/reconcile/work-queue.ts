// Keys that need a look, each looked at by one worker at a time. Adding is cheap and never lost: while a key waits it
// is there once; while it is being looked at, one further look follows. Knows nothing about what a look does.
import type { Clock } from '../model/clock.ts';
import { hour, second, type Duration, type Instant } from '../model/instant.ts';
import { SortedList } from '../model/sorted-list.ts';

export interface WorkQueueOptions<Key extends string> {
  /** One look. Returns when to look again although nothing happened. A throw means: again, after a pause. */
  readonly look: (key: Key) => Promise<Instant | undefined>;
  readonly workers: number;
  readonly clock: Clock;
  /** Told about every throw, with the pause that follows. */
  readonly onError: (key: Key, error: unknown, pause: Duration) => void;
  /** Pause after the nth throw in a row (1, 2, …) of one key. */
  readonly pauseAfter: (error: unknown, nth: number) => Duration;
}

/** 0.2 s, 0.4 s, … 10 s. */
export function defaultPause(_error: unknown, nth: number): Duration {
  return Math.min(0.2 * second * 2 ** Math.min(nth - 1, 10), 10 * second);
}

interface Due<Key> {
  readonly key: Key;
  readonly at: Instant;
}

export class WorkQueue<Key extends string> {
  readonly #options: WorkQueueOptions<Key>;
  /** Insertion order is the order of looks. */
  readonly #waiting = new Set<Key>();
  readonly #running = new Map<Key, Promise<void>>();
  readonly #again = new Set<Key>();
  readonly #due = new Map<Key, Due<Key>>();
  readonly #byTime = new SortedList<Due<Key>>((a, b) => a.at - b.at || (a.key < b.key ? -1 : Number(a.key > b.key)));
  /** Keys whose last look failed: nothing makes the next one come before this. */
  readonly #paused = new Map<Key, Instant>();
  readonly #failures = new Map<Key, number>();
  #alarm: { readonly at: Instant; readonly cancel: AbortController } | undefined;
  #stopped = false;

  constructor(options: WorkQueueOptions<Key>) {
    this.#options = options;
  }

  /** Keys waiting for a worker. */
  get depth(): number {
    return this.#waiting.size;
  }

  add(key: Key): void {
    if (this.#stopped) return;
    if (this.#running.has(key)) this.#again.add(key);
    // News during a pause are part of the look that follows it: the API server may be in trouble.
    else if (!this.#paused.has(key)) this.#waiting.add(key);
    this.#startWorkers();
  }

  /** Adds the key at that time; of several times the earliest counts. */
  addAt(key: Key, at: Instant): void {
    if (this.#stopped) return;
    const pausedUntil = this.#paused.get(key);
    if (pausedUntil === undefined && at <= this.#options.clock.now()) {
      this.#unschedule(key);
      return this.add(key);
    }
    const due = this.#due.get(key);
    // Thousands of keys may be added again and again: nothing changes, so nothing is sorted.
    if (due !== undefined && due.at <= Math.max(at, pausedUntil ?? at)) return;
    this.#schedule(key, Math.max(at, pausedUntil ?? at));
  }

  /** Starts no further look; resolves when those under way have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#alarm?.cancel.abort();
    this.#waiting.clear();
    this.#again.clear();
    this.#due.clear();
    await Promise.all(this.#running.values());
  }

  #startWorkers(): void {
    for (const key of this.#waiting) {
      if (this.#running.size >= this.#options.workers) return;
      this.#waiting.delete(key);
      this.#running.set(key, this.#work(key));
    }
  }

  async #work(key: Key): Promise<void> {
    // Not in the caller's turn: whoever adds several keys, or changes a cache, finishes first.
    await Promise.resolve();
    try {
      const lookAgainAt = await this.#options.look(key);
      this.#failures.delete(key);
      if (lookAgainAt !== undefined) this.addAt(key, lookAgainAt);
    } catch (error) {
      const nth = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, nth);
      const pause = this.#options.pauseAfter(error, nth);
      this.#options.onError(key, error, pause);
      this.#again.delete(key);
      if (!this.#stopped) this.#pause(key, this.#options.clock.now() + pause);
    }
    this.#running.delete(key);
    if (this.#again.delete(key) && !this.#stopped) this.#waiting.add(key);
    this.#startWorkers();
  }

  #pause(key: Key, until: Instant): void {
    this.#paused.set(key, until);
    this.#schedule(key, until);
  }

  #schedule(key: Key, at: Instant): void {
    this.#unschedule(key);
    const due = { key, at };
    this.#due.set(key, due);
    this.#byTime.add(due);
    this.#setAlarm();
  }

  #unschedule(key: Key): void {
    const due = this.#due.get(key);
    if (due === undefined) return;
    this.#due.delete(key);
    this.#byTime.remove(due);
  }

  #setAlarm(): void {
    const { first } = this.#byTime;
    if (first === undefined || (this.#alarm !== undefined && this.#alarm.at <= first.at)) return;
    this.#alarm?.cancel.abort();
    const cancel = new AbortController();
    this.#alarm = { at: first.at, cancel };
    // Never rejects, see Clock.sleep.
    void this.#ring(first.at, cancel.signal);
  }

  async #ring(at: Instant, signal: AbortSignal): Promise<void> {
    // In pieces: a timer of more than 24 days would ring at once, and again, for ever.
    await this.#options.clock.sleep(Math.min(Math.max(0, at - this.#options.clock.now()), hour), signal);
    if (signal.aborted) return;
    this.#alarm = undefined;
    const now = this.#options.clock.now();
    for (let { first } = this.#byTime; first !== undefined && first.at <= now; { first } = this.#byTime) {
      this.#unschedule(first.key);
      this.#paused.delete(first.key);
      this.add(first.key);
    }
    this.#setAlarm();
  }
}

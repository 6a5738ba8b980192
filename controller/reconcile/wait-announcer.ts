// Tells a waiting build why it waits and which is its place: on its TaskRun, in its pod, as an Event. Rate limited for each
// build and in all, behind all other work; a build that gets its host within a moment is told nothing.
import type { Allocation } from '../allocation/allocate.ts';
import { announceWait } from '../lease/write-lease.ts';
import type { Clock } from '../model/clock.ts';
import { second, type Duration, type Instant } from '../model/instant.ts';
import { annotations } from '../model/labels.ts';
import type { UserTaskRun } from '../model/task-run.ts';
import type { Perform } from './perform.ts';
import { WorkQueue } from './work-queue.ts';

type Waiting = Extract<Allocation, { outcome: 'wait' }>;

export interface AnnouncerOptions {
  readonly perform: Perform;
  readonly clock: Clock;
  /** The build as it is now; undefined when it no longer waits. */
  readonly stillWaiting: (uid: string) => UserTaskRun | undefined;
  readonly onError: (uid: string, error: unknown) => void;
}

/** Before this, most builds have their host. */
const firstAfter = 1 * second;
/** A place in the queue changes with every build that gets a host. */
const again = 15 * second;
/** Behind this place a build hears less often, the further back the less: thousands may wait, and all places change. */
const frontOfQueue = 20;
/** After each announcement its worker rests; with two of them no more than 40 builds are told in a second. */
const rest = 50;
const workers = 2;

export class WaitAnnouncer {
  readonly #options: AnnouncerOptions;
  readonly #news = new Map<string, Waiting>();
  readonly #toldAt = new Map<string, Instant>();
  readonly #queue: WorkQueue<string>;
  readonly #stopped = new AbortController();

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      look: (uid) => this.#tell(uid),
      workers,
      clock: options.clock,
      pauseAfter: () => again,
      onError: options.onError,
    });
  }

  announce(taskRun: UserTaskRun, waiting: Waiting): void {
    this.#news.set(taskRun.uid, waiting);
    const { told, position } = waiting;
    if (taskRun.waitReason === told.message && taskRun.queuePosition === String(position)) return;
    const toldAt = this.#toldAt.get(taskRun.uid);
    this.#queue.addAt(taskRun.uid, toldAt === undefined ? taskRun.created + firstAfter : toldAt + pauseAt(position));
  }

  forget(uid: string): void {
    this.#news.delete(uid);
    this.#toldAt.delete(uid);
  }

  stop(): Promise<void> {
    this.#stopped.abort();
    return this.#queue.stop();
  }

  async #tell(uid: string): Promise<undefined> {
    const news = this.#news.get(uid);
    const taskRun = this.#options.stillWaiting(uid);
    if (news === undefined || taskRun === undefined) {
      this.forget(uid);
      return undefined;
    }
    const { told, position } = news;
    if (taskRun.waitReason === told.message && taskRun.queuePosition === String(position)) return undefined;
    this.#toldAt.set(uid, this.#options.clock.now());
    await this.#announce(taskRun, news);
    await this.#options.clock.sleep(rest, this.#stopped.signal);
    return undefined;
  }

  async #announce(taskRun: UserTaskRun, { told, position, request }: Waiting): Promise<void> {
    const change = announceWait(taskRun, request.platform, told.message, position);
    const message = `waiting for a host of platform ${request.platform}, number ${position} in the queue: ${told.message}`;
    await this.#options.perform([
      { type: 'patch-user-task-run', target: taskRun, change },
      { type: 'emit-event', about: taskRun, severity: 'Normal', reason: 'WaitingForHost', message },
    ]);
    if (taskRun.podName === '') return;
    const shown = { [annotations.waitReason]: told.message, [annotations.queuePosition]: String(position) };
    await this.#options.perform([{ type: 'annotate-pod', about: taskRun, annotations: shown }]);
  }
}

function pauseAt(position: number): Duration {
  return again * Math.max(1, position / frontOfQueue);
}

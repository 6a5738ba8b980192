// Kubernetes Events on user TaskRuns and on host-config: told on change only, sent behind everything else and a second late,
// so that a burst of builds goes first; first to be dropped when the API server has no time. Losing one loses no build.
import type { Cluster } from '../kubernetes/cluster.ts';
import type { Clock } from '../model/clock.ts';
import { second, type Instant } from '../model/instant.ts';
import type { EventReason } from '../model/reason.ts';
import type { UserTaskRun } from '../model/task-run.ts';

export interface EventText {
  readonly severity: 'Normal' | 'Warning';
  readonly reason: EventReason;
  readonly message: string;
}

/** What an Event is about, as the API names it. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

const component = 'multi-platform-controller';
/** The API server refuses longer messages. */
const maxMessage = 1024;
const maxQueued = 1000;
const delay = 1 * second;

interface Queued {
  readonly about: ObjectReference;
  readonly text: EventText;
  readonly at: Instant;
}

export class EventRecorder {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #onDropped: (error: unknown) => void;
  readonly #queued: Queued[] = [];
  /** Last message by object and reason: the same again is no news. */
  readonly #told = new Map<string, Map<EventReason, string>>();
  readonly #stopped = new AbortController();
  #sending: Promise<void> | undefined;
  #sent = 0;

  constructor(cluster: Cluster, clock: Clock, onDropped: (error: unknown) => void) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#onDropped = onDropped;
  }

  /** False: it was told before. */
  emit({ namespace, name, uid }: UserTaskRun, text: EventText): boolean {
    return this.emitAbout({ apiVersion: 'tekton.dev/v1', kind: 'TaskRun', namespace, name, uid }, text);
  }

  emitAbout(about: ObjectReference, text: EventText): boolean {
    const told = this.#told.get(about.uid) ?? new Map<EventReason, string>();
    this.#told.set(about.uid, told);
    if (told.get(text.reason) === text.message) return false;
    told.set(text.reason, text.message);
    if (this.#queued.length >= maxQueued) this.#onDropped(new Error('too many Events are waiting to be sent'));
    else this.#queued.push({ about, text, at: this.#clock.now() });
    this.#sending ??= this.#send();
    return true;
  }

  /** The object is gone; so is what it was told. */
  forget(uid: string): void {
    this.#told.delete(uid);
  }

  /** Sends what is still waiting, at once; resolves when that is done. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#sending;
  }

  async #send(): Promise<void> {
    await this.#clock.sleep(delay, this.#stopped.signal);
    for (let next = this.#queued.shift(); next !== undefined; next = this.#queued.shift()) {
      try {
        await this.#cluster.create('events', next.about.namespace, this.#manifest(next));
      } catch (error) {
        this.#onDropped(error);
      }
    }
    this.#sending = undefined;
  }

  #manifest({ about, text, at }: Queued): { metadata: { name: string } } {
    this.#sent += 1;
    const { severity, reason, message } = text;
    const now = new Date(at).toISOString();
    const { namespace, name } = about;
    const event = {
      metadata: { name: `${name}.${at.toString(16)}${this.#sent.toString(16)}`, namespace },
      involvedObject: about,
      type: severity,
      reason,
      message: message.length > maxMessage ? `${message.slice(0, maxMessage - 1)}…` : message,
      source: { component },
      reportingComponent: component,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
    return event;
  }
}

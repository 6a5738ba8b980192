// Who of several replicas acts: a coordination Lease, held and renewed. Decides when we are the leader and for how long
// that is still certain; never compares clocks of two machines and never trusts its own to run evenly.
//
// A leader stops writing `renewDeadline` after the *start* of its last successful renewal; a standby takes over `duration`
// after it *saw* the last renewal. The first is shorter and starts earlier, so there is never more than one writer.
import type { Clock } from '../model/clock.ts';
import type { Duration, Instant } from '../model/instant.ts';
import { ApiError } from './api-errors.ts';
import type { Cluster, KubeManifest, KubeObject } from './cluster.ts';

export interface LeaderOptions {
  readonly cluster: Pick<Cluster, 'read' | 'create' | 'replace'>;
  readonly clock: Clock;
  readonly namespace: string;
  readonly name: string;
  /** Unique, and the same again when this container is restarted: it then takes its own lease back at once. */
  readonly identity: string;
  readonly onStarted: () => void;
  /** Not called on a clean stop. */
  readonly onLost: (why: string) => void;
  /** A request failed; it is tried again while there is time. */
  readonly onTrouble: (error: unknown) => void;
  readonly times?: Partial<LeaderTimes>;
}

export interface LeaderTimes {
  readonly duration: Duration;
  readonly renewDeadline: Duration;
  readonly retry: Duration;
}

const standardTimes: LeaderTimes = { duration: 10_000, renewDeadline: 6_000, retry: 1_500 };

interface Moment {
  readonly wall: Instant;
  readonly monotonic: Duration;
}

/** Somebody's lease as last seen, and when we first saw it like that. */
interface Observed {
  readonly lease: KubeObject;
  readonly holder: string;
  readonly duration: Duration;
  readonly seenAt: Duration;
}

export class Leader {
  readonly #options: LeaderOptions;
  readonly #times: LeaderTimes;
  #observed: Observed | undefined;
  /** Start of our last successful renewal; undefined: not the leader. */
  #renewed: Moment | undefined;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#times = { ...standardTimes, ...options.times };
  }

  /** Milliseconds for which nobody else can be the leader; 0 or less: do not write. */
  remaining(): Duration {
    return this.#renewed === undefined ? 0 : this.#times.renewDeadline - this.#since(this.#renewed);
  }

  /** Who holds the lease as far as we know; '' for nobody. */
  get holder(): string {
    return this.#observed?.holder ?? '';
  }

  /** Stands by, leads, and returns when leadership is lost or the signal aborts (the lease is then released). */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (await this.#acquire(signal)) {
        this.#options.onStarted();
        await this.#keep(signal);
        return;
      }
    }
  }

  async #acquire(signal: AbortSignal): Promise<boolean> {
    await this.#attempt(async () => this.#takeIfFree());
    if (this.#renewed !== undefined) return true;
    // Awake exactly when the lease runs out, should its holder not renew it before.
    const untilFree = this.#observed === undefined ? Infinity : this.#freeAt(this.#observed) - this.#monotonic();
    await this.#pause(Math.min(this.#times.retry, untilFree), signal);
    return false;
  }

  async #keep(signal: AbortSignal): Promise<void> {
    let pause = this.#times.retry;
    for (;;) {
      await this.#pause(Math.min(pause, this.remaining()), signal);
      if (signal.aborted) break;
      // After a stall of this process it is too late to ask.
      if (this.remaining() <= 0) return this.#lose('the lease was not renewed in time');
      const renewed = await this.#attempt(async () => this.#renew());
      if (this.holder !== this.#options.identity) return this.#lose(`the lease is held by '${this.holder}'`);
      pause = renewed ? this.#times.retry : this.#times.retry / 3;
    }
    await this.#attempt(async () => this.#release());
    this.#renewed = undefined;
  }

  #lose(why: string): void {
    this.#renewed = undefined;
    this.#options.onLost(why);
  }

  /** Errors cost time and nothing else. */
  async #attempt(step: () => Promise<void>): Promise<boolean> {
    try {
      await step();
      return true;
    } catch (error) {
      this.#options.onTrouble(error);
      return false;
    }
  }

  async #takeIfFree(): Promise<void> {
    const { cluster, namespace, identity } = this.#options;
    await this.#look();
    const observed = this.#observed;
    if (observed === undefined) {
      const started = this.#now();
      this.#observe(await cluster.create('leases', namespace, this.#leaseBody(undefined)));
      this.#renewed = started;
      return;
    }
    const ours = observed.holder === identity || observed.holder === '';
    if (ours || this.#monotonic() >= this.#freeAt(observed)) await this.#write(observed.lease);
  }

  async #renew(): Promise<void> {
    try {
      if (this.#observed !== undefined) await this.#write(this.#observed.lease);
    } catch (error) {
      if (!(error instanceof ApiError) || (error.kind !== 'conflict' && error.kind !== 'gone')) throw error;
      // Perhaps our own renewal, whose answer was lost; perhaps somebody took it.
      await this.#look();
      if (this.#observed?.holder === this.#options.identity) await this.#write(this.#observed.lease);
    }
  }

  /** Writes our name and the time, provided that nobody wrote since we looked. */
  async #write(seen: KubeObject): Promise<void> {
    const { cluster, namespace, name } = this.#options;
    const started = this.#now();
    this.#observe(await cluster.replace('leases', namespace, name, this.#leaseBody(seen)));
    this.#renewed = started;
  }

  async #release(): Promise<void> {
    const { cluster, namespace, name, identity } = this.#options;
    const observed = this.#observed;
    if (observed?.holder !== identity || this.remaining() <= 0) return;
    const body = this.#leaseBody(observed.lease);
    const released = { ...body, spec: { ...specOf(body), holderIdentity: '', leaseDurationSeconds: 1 } };
    await cluster.replace('leases', namespace, name, released);
  }

  async #look(): Promise<void> {
    const { cluster, namespace, name } = this.#options;
    try {
      this.#observe(await cluster.read('leases', namespace, name));
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind !== 'gone') throw error;
      this.#observed = undefined;
    }
  }

  /** A lease that was not written since keeps the time at which it was first seen. */
  #observe(lease: KubeObject): void {
    const before = this.#observed?.lease.metadata;
    if (before?.uid === lease.metadata.uid && before.resourceVersion === lease.metadata.resourceVersion) return;
    const { holderIdentity: holder = '', leaseDurationSeconds = 0 } = specOf(lease);
    const duration = leaseDurationSeconds * 1000 || this.#times.duration;
    this.#observed = { lease, holder, duration, seenAt: this.#monotonic() };
  }

  /** Never in a tight loop, whatever the clocks say. */
  async #pause(duration: Duration, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(Math.max(duration, 1), signal);
  }

  #leaseBody(before: KubeObject | undefined): KubeManifest {
    const { name, namespace, identity, clock } = this.#options;
    const now = new Date(clock.now()).toISOString().replace('Z', '000Z');
    const spec = before === undefined ? {} : specOf(before);
    const same = spec.holderIdentity === identity;
    return {
      metadata: before === undefined ? { name, namespace } : { ...before.metadata },
      spec: {
        ...spec,
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.#times.duration / 1000),
        acquireTime: same ? spec.acquireTime : now,
        renewTime: now,
        leaseTransitions: (spec.leaseTransitions ?? 0) + (same || before === undefined ? 0 : 1),
      },
    };
  }

  #freeAt(observed: Observed): Duration {
    return observed.seenAt + observed.duration;
  }

  #monotonic(): Duration {
    return this.#options.clock.monotonic();
  }

  #now(): Moment {
    return { wall: this.#options.clock.now(), monotonic: this.#monotonic() };
  }

  /** The monotonic clock stands still while a machine sleeps, the wall clock may be set back: the larger one counts. */
  #since(moment: Moment): Duration {
    const now = this.#now();
    return Math.max(now.monotonic - moment.monotonic, now.wall - moment.wall);
  }
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

function specOf(lease: KubeManifest): LeaseSpec {
  const spec = lease['spec'];
  return isLeaseSpec(spec) ? spec : {};
}

/** The API server has validated the fields. */
function isLeaseSpec(spec: unknown): spec is LeaseSpec {
  return typeof spec === 'object' && spec !== null;
}

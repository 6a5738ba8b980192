// Two replicas, one Lease kept as the API server keeps it, and clocks the test owns. Each replica's wall clock may be
// wrong, stop or jump; requests may be slow, fail, or take effect without an answer.
import { ApiError } from '../../../controller/kubernetes/api-errors.ts';
import type { Clock } from '../../../controller/model/clock.ts';
import type { Cluster, KubeManifest, KubeObject } from '../../../controller/kubernetes/cluster.ts';
import { Leader } from '../../../controller/kubernetes/leader.ts';
import type { ManualClock } from '../../support/manual-clock.ts';

/** The Lease of one test: optimistic lock as on the real server. */
export class LeaseServer {
  lease: KubeObject | undefined;
  writes: string[] = [];
  #version = 0;

  read(): KubeObject {
    if (this.lease === undefined) throw new ApiError({ kind: 'gone', message: 'no lease', code: 404 });
    return this.lease;
  }

  create(body: KubeManifest): KubeObject {
    if (this.lease !== undefined) throw new ApiError({ kind: 'exists', message: 'taken', code: 409 });
    return this.#store('uid-1', body);
  }

  replace(body: KubeManifest): KubeObject {
    const { uid, resourceVersion } = this.read().metadata;
    if (body.metadata['resourceVersion'] !== resourceVersion) {
      throw new ApiError({ kind: 'conflict', message: 'stale', code: 409 });
    }
    return this.#store(uid, body);
  }

  #store(uid: string, body: KubeManifest): KubeObject {
    this.#version += 1;
    const metadata = { ...body.metadata, name: 'l', uid, resourceVersion: String(this.#version) };
    this.lease = { ...body, metadata };
    this.writes.push(JSON.stringify(body['spec']));
    return this.lease;
  }
}

export type Fault = 'none' | 'unreachable' | 'answer-lost' | 'slow';

/** One process: its clock runs with the world's, shifted and with its own stalls. */
export class Replica {
  readonly identity: string;
  readonly leader: Leader;
  readonly events: string[] = [];
  readonly troubles: string[] = [];
  /** When it first saw the Lease as it is now. */
  sawAt = NaN;
  /** When it last wrote it. */
  wroteAt = NaN;
  fault: Fault = 'none';
  /** Added to the wall clock. */
  skew: number;
  ended = false;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #seen: KubeObject | undefined;
  #stall: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  constructor(world: ManualClock, server: LeaseServer, identity: string, skew = 0) {
    this.identity = identity;
    this.skew = skew;
    const clock: Clock = {
      now: () => world.now() + this.skew,
      monotonic: () => world.monotonic(),
      sleep: async (duration, signal) => {
        await world.sleep(duration, signal);
        await this.#stall?.over;
      },
    };
    const request = async (act: () => KubeObject): Promise<KubeObject> => this.#request(world, act);
    const cluster: Pick<Cluster, 'read' | 'create' | 'replace'> = {
      read: async () => request(() => this.#noteLook(world.now(), server.read())),
      create: async (_resource, _namespace, body) => request(() => server.create(body)),
      replace: async (_resource, _namespace, _name, body) =>
        request(() => this.#noteWrite(world.now(), server.replace(body))),
    };
    this.leader = new Leader({
      cluster,
      clock,
      namespace: 'n',
      name: 'l',
      identity,
      onStarted: () => this.events.push('started'),
      onLost: (why) => this.events.push(`lost: ${why}`),
      onTrouble: (error) => this.troubles.push(error instanceof Error ? error.message : String(error)),
    });
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    await this.leader.run(this.#stopping.signal);
    this.ended = true;
  }

  get leads(): boolean {
    return this.leader.remaining() > 0;
  }

  /** The process stands still: it wakes from no sleep until the stall is over. */
  stall(): () => void {
    let end = (): void => undefined;
    const over = new Promise<void>((resolve) => (end = resolve));
    this.#stall = { over, end };
    return () => {
      this.#stall = undefined;
      end();
    };
  }

  /** A clean stop: SIGTERM. Ends a stall, too. */
  stop(): void {
    this.#stopping.abort();
    this.#stall?.end();
  }

  async stopped(): Promise<void> {
    await this.#running;
  }

  #noteLook(now: number, lease: KubeObject): KubeObject {
    if (this.#seen !== lease) this.sawAt = now;
    this.#seen = lease;
    return lease;
  }

  #noteWrite(now: number, lease: KubeObject): KubeObject {
    this.wroteAt = now;
    return lease;
  }

  async #request(world: ManualClock, act: () => KubeObject): Promise<KubeObject> {
    const { fault } = this;
    if (fault === 'unreachable') throw new ApiError({ kind: 'unavailable', message: 'unreachable' });
    if (fault === 'slow') await world.sleep(1000);
    const answer = act();
    if (fault !== 'answer-lost') return answer;
    await world.sleep(2000);
    throw new ApiError({ kind: 'timeout', message: 'no answer', ambiguous: true });
  }
}

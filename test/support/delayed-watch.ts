// Carries the events of a cluster to a cache, in order, as late as a test wants.
import type { StoredResource } from '../../controller/kubernetes/resource.ts';
import type { Clock } from '../../controller/model/clock.ts';
import type { Duration, Instant } from '../../controller/model/instant.ts';
import type { MemoryCluster, WatchEvent } from './memory-cluster.ts';

export class DelayedWatch {
  /** How long an event is on its way. */
  lag: Duration = 0;
  readonly #clock: Clock;
  readonly #deliver: (event: WatchEvent) => void;
  readonly #onTheWay: { readonly event: WatchEvent; readonly due: Instant }[] = [];

  constructor(cluster: MemoryCluster, resource: StoredResource, clock: Clock, deliver: (event: WatchEvent) => void) {
    this.#clock = clock;
    this.#deliver = deliver;
    cluster.watch(resource, (event) => {
      this.#onTheWay.push({ event, due: clock.now() + this.lag });
      void this.#wait();
    });
  }

  /** Brings everything that is on its way at once. */
  catchUp(): void {
    for (let next = this.#onTheWay.shift(); next !== undefined; next = this.#onTheWay.shift())
      this.#deliver(next.event);
  }

  async #wait(): Promise<void> {
    if (this.lag === 0) await Promise.resolve();
    else await this.#clock.sleep(this.lag);
    while ((this.#onTheWay[0]?.due ?? Infinity) <= this.#clock.now()) {
      const next = this.#onTheWay.shift();
      if (next !== undefined) this.#deliver(next.event);
    }
  }
}

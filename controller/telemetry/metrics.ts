// Counts and times what the controller tells it, and renders everything for a scrape. Names are in metric-names.ts,
// gauges in state-gauges.ts. Decides which platform a number is shown under, never when something counts.
import { Counter, Histogram, Registry } from '@prometheus-io/client';
import { dashedPlatform } from '../model/platform.ts';
import {
  metricPrefix,
  type PlatformCounter,
  platformCounters,
  type PlatformTime,
  platformTimes,
  unknownPlatform,
} from './metric-names.ts';
import type { MetricsSnapshot } from './metrics-snapshot.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import { StateGauges } from './state-gauges.ts';

export class Metrics {
  readonly #registry = new Registry();
  readonly #collect: () => MetricsSnapshot;
  readonly #gauges = new StateGauges(this.#registry);
  readonly #counters: Readonly<Record<PlatformCounter, Counter<'platform'>>>;
  readonly #times: Readonly<Record<PlatformTime, Histogram<'platform'>>>;
  readonly #orphans = this.#counter('orphans_total', 'Things no build owns, found by the sweep', ['kind']);
  readonly #hostUpdates = this.#counter('host_updates', 'Updates of hosts: succeeded, failed or skipped', [
    'platform',
    'outcome',
  ]);
  readonly #reconcileErrors = this.#counter('reconcile_errors_total', 'Reconciliations that failed', []);
  readonly #watchRestarts = this.#counter('watch_restarts_total', 'Watches that had to be started again', ['resource']);
  readonly #apiRequests: Counter<'verb' | 'resource' | 'code'>;
  #exported: ReadonlySet<string> = new Set();
  #local: ReadonlySet<string> = new Set();

  /** `collect` is asked once per scrape. */
  constructor(collect: () => MetricsSnapshot) {
    this.#collect = collect;
    this.#apiRequests = this.#counter('api_requests_total', 'Requests to the API server', ['verb', 'resource', 'code']);
    this.#counters = {
      provisioning_failures: this.#platformCounter('provisioning_failures'),
      provisioning_successes: this.#platformCounter('provisioning_successes'),
      cleanup_failures: this.#platformCounter('cleanup_failures'),
      host_allocation_failures: this.#platformCounter('host_allocation_failures'),
    };
    this.#times = {
      host_allocation_time: this.#platformTime('host_allocation_time'),
      wait_time: this.#platformTime('wait_time'),
      task_run_time: this.#platformTime('task_run_time'),
    };
    registerProcessMetrics(this.#registry);
  }

  /**
   * Called with every host-config that is taken over. `exported`: platforms with hosts. `local`: those that run in the
   * cluster itself, which export nothing. Series of a platform that is gone are dropped; those of a new one start
   * at 0, so that the first failure is already an increase.
   */
  setPlatforms(exported: Iterable<string>, local: Iterable<string>): void {
    const before = this.#exported;
    this.#exported = new Set(Array.from(exported, dashedPlatform));
    this.#local = new Set(Array.from(local, dashedPlatform));
    for (const platform of before) if (!this.#exported.has(platform)) this.#drop(platform);
    for (const platform of this.#exported) {
      for (const counter of Object.values(this.#counters)) counter.inc({ platform }, 0);
      // That would empty one that has counted already.
      if (!before.has(platform)) for (const time of Object.values(this.#times)) time.zero({ platform });
    }
  }

  /** `platform` as the build wrote it, undefined when it names none. */
  count(name: PlatformCounter, platform: string | undefined): void {
    const label = this.#label(platform);
    if (label !== undefined) this.#counters[name].inc({ platform: label });
  }

  observe(name: PlatformTime, platform: string | undefined, seconds: number): void {
    const label = this.#label(platform);
    // The clocks of two machines may differ by more than a short wait took.
    if (label !== undefined) this.#times[name].observe({ platform: label }, Math.max(0, seconds));
  }

  countOrphan(kind: string): void {
    this.#orphans.inc({ kind });
  }

  countHostUpdate(platform: string | undefined, outcome: 'succeeded' | 'failed' | 'skipped'): void {
    const label = this.#label(platform);
    if (label !== undefined) this.#hostUpdates.inc({ platform: label, outcome });
  }

  countReconcileError(): void {
    this.#reconcileErrors.inc();
  }

  /** `code`: the HTTP status, or a word such as `timeout` when no answer came. */
  countApiRequest(verb: string, resource: string, code: number | string): void {
    this.#apiRequests.inc({ verb, resource, code });
  }

  countWatchRestart(resource: string): void {
    this.#watchRestarts.inc({ resource });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  render(): Promise<string> {
    this.#gauges.set(this.#collect());
    return this.#registry.metrics();
  }

  #label(platform: string | undefined): string | undefined {
    const dashed = dashedPlatform(platform ?? unknownPlatform);
    if (this.#local.has(dashed)) return undefined;
    return this.#exported.has(dashed) ? dashed : unknownPlatform;
  }

  #drop(platform: string): void {
    for (const counter of Object.values(this.#counters)) counter.remove({ platform });
    for (const time of Object.values(this.#times)) time.remove({ platform });
    for (const outcome of ['succeeded', 'failed', 'skipped']) this.#hostUpdates.remove({ platform, outcome });
  }

  #platformCounter(name: PlatformCounter): Counter<'platform'> {
    return this.#counter(name, platformCounters[name], ['platform']);
  }

  #platformTime(name: PlatformTime): Histogram<'platform'> {
    const { help, buckets } = platformTimes[name];
    return new Histogram({
      name: metricPrefix + name,
      help,
      buckets,
      labelNames: ['platform'],
      registers: [this.#registry],
    });
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name: metricPrefix + name, help, labelNames, registers: [this.#registry] });
  }
}

// Gauges, all set anew from one snapshot per scrape: a build or host that is gone leaves nothing behind.
import { Gauge, type Registry } from '@prometheus-io/client';
import { dashedPlatform } from '../model/platform.ts';
import { metricPrefix } from './metric-names.ts';
import type { HostSnapshot, MetricsSnapshot, PlatformSnapshot } from './metrics-snapshot.ts';

export class StateGauges {
  readonly #leader: Gauge;
  readonly #configProblems: Gauge<'severity'>;
  readonly #poolSize: Gauge<'platform'>;
  readonly #running: Gauge<'platform' | 'taskrun_namespace'>;
  readonly #waiting: Gauge<'platform' | 'taskrun_namespace'>;
  readonly #oldest: Gauge<'platform'>;
  readonly #slots: Gauge<'host' | 'state'>;
  readonly #quarantined: Gauge<'host'>;

  constructor(registry: Registry) {
    const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]): Gauge<Label> =>
      new Gauge({ name: metricPrefix + name, help, labelNames, registers: [registry] });
    this.#leader = gauge('leader', '1 while this replica is the one that acts', []);
    this.#configProblems = gauge('host_config_problems', 'Problems of the host-config as it stands', ['severity']);
    this.#poolSize = gauge('platform_pool_size', 'Builds at once, or instances at most, of a platform', ['platform']);
    this.#running = gauge('running_tasks', 'Builds that hold a slot', ['platform', 'taskrun_namespace']);
    this.#waiting = gauge('waiting_tasks', 'Builds that wait for a slot', ['platform', 'taskrun_namespace']);
    this.#oldest = gauge('queue_oldest_seconds', 'Age of the oldest waiting build, 0 without one', ['platform']);
    this.#slots = gauge('host_slots', 'Slots of a host by state', ['host', 'state']);
    this.#quarantined = gauge(
      'host_quarantined',
      '1 while a host gets no builds, of all namespaces or of one, because it kept failing',
      ['host'],
    );
  }

  set(snapshot: MetricsSnapshot): void {
    this.#leader.set(snapshot.leader ? 1 : 0);
    for (const [severity, count] of Object.entries(snapshot.configProblems))
      this.#configProblems.set({ severity }, count);
    const perPlatform = [this.#poolSize, this.#running, this.#waiting, this.#oldest, this.#slots, this.#quarantined];
    for (const gauge of perPlatform) gauge.reset();
    if (!snapshot.leader) return;
    for (const platform of snapshot.platforms) this.#setPlatform(platform);
  }

  #setPlatform(snapshot: PlatformSnapshot): void {
    const platform = dashedPlatform(snapshot.platform);
    this.#poolSize.set({ platform }, snapshot.poolSize);
    this.#oldest.set({ platform }, snapshot.oldestWaiting);
    for (const [namespace, builds] of Object.entries(snapshot.running)) {
      this.#running.set({ platform, taskrun_namespace: namespace }, builds);
    }
    for (const [namespace, builds] of Object.entries(snapshot.waiting)) {
      this.#waiting.set({ platform, taskrun_namespace: namespace }, builds);
    }
    for (const host of snapshot.hosts) this.#setHost(host);
  }

  #setHost({ host, slots, quarantined }: HostSnapshot): void {
    for (const [state, count] of Object.entries(slots)) this.#slots.set({ host, state }, count);
    this.#quarantined.set({ host }, quarantined ? 1 : 0);
  }
}

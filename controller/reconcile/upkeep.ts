// What is done beside builds: hosts are cared for, and what belongs to nobody is removed. Puts these together and tells of them.
import type { Clock } from '../kubernetes/clock.ts';
import type { KeepTimes } from '../lease/timeouts.ts';
import type { KeptTaskRun } from '../model/task-run.ts';
import type { Instance } from '../taskruns/list-task-run-manifest.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { EventRecorder, ObjectReference } from './event-recorder.ts';
import { HostCare, type CareNews } from './host-care.ts';
import { InstanceSweep } from './instance-sweep.ts';
import { OrphanSweep } from './orphans.ts';
import type { Perform } from './perform.ts';
import type { WatchedState } from './watched-state.ts';

export interface UpkeepOptions {
  readonly state: WatchedState;
  readonly perform: Perform;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly events: EventRecorder;
  readonly operatorNamespace: string;
  readonly keep: KeepTimes;
  /** Names a host that was launched by this installation. */
  readonly isOwnToken: (token: string) => boolean;
  /** Builds that are to have this host although no TaskRun shows it yet. */
  readonly assumedOn: (host: string) => number;
  readonly lookAtPlatform: (platform: string) => void;
  /** The ConfigMap host-config, for Events about hosts. */
  readonly configMap: () => ObjectReference | undefined;
  /** Counts and logs what went wrong. */
  readonly report: (message: string, error: unknown, fields?: Readonly<Record<string, unknown>>) => void;
}

export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #care: HostCare;
  readonly #orphans: OrphanSweep;
  readonly #instances: InstanceSweep;

  constructor(options: UpkeepOptions) {
    const { state, perform, clock, operatorNamespace, keep, assumedOn, lookAtPlatform, report } = options;
    const { taskRuns, ownedSecrets, hostConfig, hasSshSecret } = state;
    this.#options = options;
    this.#care = new HostCare({
      taskRuns,
      config: () => hostConfig.config,
      hasSshSecret,
      assumedOn,
      perform,
      clock,
      operatorNamespace,
      keep: keep.update,
      lookAtPlatform,
      tell: (news) => this.#tellOfCare(news),
      onError: (error) => report('care of hosts: a look failed, trying again', error),
    });
    this.#orphans = new OrphanSweep({
      taskRuns,
      ownedSecrets,
      perform,
      clock,
      keep: keep.failed,
      onRemoved: (kind, name) => this.#tellOfOrphan(kind, name),
      onError: (name, error) => report('an orphan could not be removed', error, { name }),
    });
    this.#instances = new InstanceSweep({
      taskRuns,
      config: () => hostConfig.config,
      isOwnToken: options.isOwnToken,
      perform,
      clock,
      operatorNamespace,
      onFound: (platform, instance) => this.#tellOfInstance(platform, instance),
      onError: report,
    });
  }

  start(): void {
    this.#care.start();
  }

  stop(): Promise<void> {
    return this.#care.stop();
  }

  /** To be called with every change of the cache of TaskRuns. */
  noteChange(before: KeptTaskRun | undefined, after: KeptTaskRun | undefined): void {
    this.#care.noteChange(before, after);
  }

  /** Hosts, or Secrets to log in with, have changed. */
  noteConfig(): void {
    this.#care.noteConfig();
  }

  /** Takes no builds until it was cared for. */
  isDraining(host: string): boolean {
    return this.#care.isDraining(host);
  }

  async sweep(): Promise<void> {
    await this.#orphans.sweep();
    await this.#instances.sweep();
  }

  #tellOfCare({ platform, outcome, event }: CareNews): void {
    const { metrics, logger, events, configMap } = this.#options;
    metrics.countHostUpdate(platform, outcome);
    const { reason, severity, message } = event;
    logger[severity === 'Warning' ? 'warn' : 'info'](message, { platform, reason });
    const about = configMap();
    if (about !== undefined) events.emitAbout(about, event);
  }

  #tellOfOrphan(kind: 'task-run' | 'secret', name: string): void {
    this.#options.metrics.countOrphan(kind);
    this.#options.logger.warn(`${kind} ${name} belonged to nobody and was removed`, { kind, name });
  }

  #tellOfInstance(platform: string, { id, token }: Instance): void {
    this.#options.metrics.countOrphan('instance');
    this.#options.logger.warn('an instance belonged to nobody and is terminated', { platform, instance: id, token });
  }
}

// What is done beside builds: hosts are cared for, those of dynamic-pools are launched and terminated, and what belongs to nobody
// is removed. Puts these together and tells of them.
import type { KeyObject } from 'node:crypto';
import type { KeepTimes } from '../lease/timeouts.ts';
import type { Clock } from '../model/clock.ts';
import type { KeptTaskRun } from '../model/task-run.ts';
import type { Instance } from '../taskruns/list-task-run-manifest.ts';
import { isOwnToken, launchTokens } from '../taskruns/launch-token.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { EventRecorder, ObjectReference } from './event-recorder.ts';
import { HostCare, type CareNews } from './host-care.ts';
import { InstanceSweep } from './instance-sweep.ts';
import { LaunchNews } from './launch-news.ts';
import { LaunchedPools } from './launched-pools.ts';
import { OrphanSweep } from './orphan-sweep.ts';
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
  /** Names of launched hosts are made with it. */
  readonly leaseKey: KeyObject;
  /** Builds that are to have this host although no TaskRun shows it yet: the namespace of each, '' where unknown. */
  readonly assumedOn: (host: string) => readonly string[];
  /** A decision is being written for this build. */
  readonly isUnderWay: (uid: string) => boolean;
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
  readonly #pools: LaunchedPools;
  readonly #launchNews: LaunchNews;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#care = this.#newCare();
    this.#orphans = this.#newOrphanSweep();
    this.#instances = this.#newInstanceSweep();
    this.#pools = this.#newPools();
    const { state, perform, report } = options;
    this.#launchNews = new LaunchNews({ taskRuns: state.taskRuns, perform, onError: report });
    state.launchReports.onChange((_before, after) => void (after && this.#launchNews.note(after)));
  }

  #newCare(): HostCare {
    const { state, perform, clock, operatorNamespace, keep, assumedOn, lookAtPlatform, report } = this.#options;
    return new HostCare({
      taskRuns: state.taskRuns,
      config: () => state.hostConfig.config,
      hasSshSecret: state.hasSshSecret,
      assumedOn: (host) => assumedOn(host).length,
      perform,
      clock,
      operatorNamespace,
      keep: keep.update,
      lookAtPlatform,
      tell: (news) => this.#tellOfCare(news),
      onError: (error) => report('care of hosts: a look failed, trying again', error),
    });
  }

  #newOrphanSweep(): OrphanSweep {
    const { state, perform, clock, keep, report } = this.#options;
    return new OrphanSweep({
      taskRuns: state.taskRuns,
      ownedSecrets: state.ownedSecrets,
      perform,
      clock,
      keep: keep.failed,
      onRemoved: (kind, name) => this.#tellOfOrphan(kind, name),
      onError: (name, error) => report('an orphan could not be removed', error, { name }),
    });
  }

  #newInstanceSweep(): InstanceSweep {
    const { state, leaseKey, perform, clock, operatorNamespace, report } = this.#options;
    return new InstanceSweep({
      taskRuns: state.taskRuns,
      config: () => state.hostConfig.config,
      isOwnToken: (token) => isOwnToken(leaseKey, token),
      perform,
      clock,
      operatorNamespace,
      onFound: (platform, instance) => this.#tellOfInstance(platform, instance),
      onError: report,
    });
  }

  #newPools(): LaunchedPools {
    const { state, leaseKey, keep, report, ...others } = this.#options;
    return new LaunchedPools({
      ...others,
      taskRuns: state.taskRuns,
      hostConfig: state.hostConfig,
      hasSshSecret: state.hasSshSecret,
      tokens: launchTokens(leaseKey),
      keep: keep.failed,
      onError: report,
    });
  }

  start(): void {
    this.#care.start();
    this.#pools.start();
    this.#launchNews.start();
  }

  async stop(): Promise<void> {
    this.#launchNews.stop();
    await Promise.all([this.#care.stop(), this.#pools.stop()]);
  }

  /** Instead of start(), before an uninstall: hosts of several builds go as soon as they are empty. */
  endPools(): Promise<void> {
    return this.#pools.endAll();
  }

  /** To be called with every change of the cache of TaskRuns. */
  noteChange(before: KeptTaskRun | undefined, after: KeptTaskRun | undefined): void {
    this.#care.noteChange(before, after);
    this.#pools.noteChange(before, after);
  }

  /** Hosts, or Secrets to log in with, have changed. */
  noteConfig(): void {
    this.#care.noteConfig();
    this.#pools.lookAtAll();
  }

  /** Takes no new builds: a static host until it was cared for, one of a dynamic-pool for good. */
  isDraining(host: string): boolean {
    return this.#care.isDraining(host) || this.#pools.isClosed(host);
  }

  async sweep(): Promise<void> {
    await this.#orphans.sweep();
    await this.#instances.sweep();
    this.#pools.lookAtAll();
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

// The shell around the pure core: what is known, doorbells, one queue, lanes and builds behind it. Acts only between start()
// and stop(), that is, while this process is the leader.
import type { Cluster, KubeObject } from '../kubernetes/cluster.ts';
import type { KeepTimes } from '../lease/timeouts.ts';
import type { Clock } from '../model/clock.ts';
import { minute } from '../model/instant.ts';
import type { KeptTaskRun, UserTaskRun } from '../model/task-run.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { MetricsSnapshot } from '../telemetry/metrics-snapshot.ts';
import { BuildReconciler } from './build-reconciler.ts';
import { collectMetrics } from './collect-metrics.ts';
import { ConfigNews } from './config-news.ts';
import { ConfigReporter } from './config-reporter.ts';
import { countChange } from './count.ts';
import { buildKey, keysFor, platformKey, type Key } from './doorbells.ts';
import { Drain, type DrainOptions, type DrainOutcome } from './drain.ts';
import { DrainView } from './drain-view.ts';
import { EventRecorder } from './event-recorder.ts';
import { knownHosts } from './known-hosts.ts';
import { newLookQueue } from './look-queue.ts';
import { performWith, type Perform } from './perform.ts';
import { performOptions } from './perform-options.ts';
import { PlatformLanes } from './platform-lanes.ts';
import { refreshWith } from './refresh.ts';
import type { SecretReport } from './secret-reports.ts';
import { keysOfAll, keysOfQueues } from './sweep.ts';
import { isWaiting } from './take-snapshot.ts';
import { Upkeep } from './upkeep.ts';
import { WaitAnnouncer } from './wait-announcer.ts';
import { WatchedState, type WatchedStateOptions } from './watched-state.ts';
import type { WorkQueue } from './work-queue.ts';

export interface ControllerOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly namespace: string;
  readonly leaseKey: WatchedStateOptions['leaseKey'];
  readonly workers: number;
  readonly keep: KeepTimes;
  readonly isLeader: () => boolean;
}

const sweepPeriod = minute;

export class Controller {
  readonly state: WatchedState;
  readonly #options: ControllerOptions;
  readonly #metrics: Metrics;
  readonly #events: EventRecorder;
  readonly #configReporter: ConfigReporter;
  readonly #configNews: ConfigNews;
  readonly #perform: Perform;
  readonly #view: DrainView;
  readonly #builds: BuildReconciler;
  readonly #announcer: WaitAnnouncer;
  readonly #lanes: PlatformLanes;
  readonly #queue: WorkQueue<Key>;
  readonly #upkeep: Upkeep;
  /** Undefined: another replica acts, or none does yet. */
  #acting: AbortController | undefined;

  constructor(options: ControllerOptions, metrics: Metrics) {
    const { cluster, clock, logger, namespace, leaseKey } = options;
    this.#options = options;
    this.#metrics = metrics;
    const onListenerError = (error: unknown): void => this.#report('a change could not be noted', error);
    this.state = new WatchedState({ namespace, leaseKey, now: clock.now(), onListenerError });
    this.#events = new EventRecorder(cluster, clock, (error) => logger.debug('an Event was dropped', { error }));
    this.#configReporter = new ConfigReporter(logger, this.#events);
    this.#configNews = new ConfigNews({
      hostConfig: this.state.hostConfig,
      reporter: this.#configReporter,
      metrics,
      logger,
      now: () => clock.now(),
      hostsChanged: () => this.#hostsChanged(),
    });
    const performing = performOptions({
      ...options,
      metrics,
      state: this.state,
      events: this.#events,
      noteDone: (action) => this.#builds.noteDone(action),
      report: this.#report,
    });
    this.#perform = performWith(performing);
    this.#view = new DrainView(this.state.taskRuns);
    this.#builds = this.#newBuilds();
    this.#announcer = new WaitAnnouncer({
      // Beside the lane, so its answers stay out of the cache: one that is late must not hide a claim.
      perform: performWith({ ...performing, taskRuns: { written: () => undefined, deletedByUs: () => undefined } }),
      clock,
      stillWaiting: (uid) => this.#waiting(uid),
      onError: (_uid, error) => logger.debug('a waiting build could not be told', { error }),
    });
    this.#lanes = this.#newLanes();
    this.#queue = newLookQueue({
      lookAtPlatform: (platform) => this.#lanes.look(platform),
      lookAtBuild: (uid) => this.#builds.look(uid),
      workers: options.workers,
      clock,
      logger,
      report: this.#report,
    });
    this.#upkeep = this.#newUpkeep();
    this.state.taskRuns.onChange((before, after) => this.#noteTaskRun(before, after));
    this.state.providerTasks.onNews((tasks) => this.#configNews.noteProviderTasks(tasks));
    this.state.sshSecrets.onChange(() => this.#hostsChanged());
    this.state.secretReports.onChange((_before, after) => this.#noteReport(after));
  }

  readonly #isDraining = (host: string): boolean => this.#upkeep.isDraining(host);

  /** Counts and logs what went wrong. */
  readonly #report = (message: string, error: unknown, fields: Readonly<Record<string, unknown>> = {}): void => {
    this.#metrics.countReconcileError();
    this.#options.logger.warn(message, { ...fields, error });
  };

  /** The ConfigMap host-config changed; undefined: it is gone. */
  noteHostConfig(configMap: KubeObject | undefined): void {
    this.#configNews.noteHostConfig(configMap);
  }

  /** Called once the caches are filled and this process is the leader. */
  start(): void {
    const stop = new AbortController();
    this.#acting = stop;
    void this.#sweepUntil(stop.signal);
    this.#configReporter.start();
    this.#upkeep.start();
  }

  /** Instead of start(), before an uninstall. */
  drain(times: Pick<DrainOptions, 'patience' | 'timeout'>, signal: AbortSignal): Promise<DrainOutcome> {
    const { clock, logger } = this.#options;
    const log: DrainOptions['log'] = (severity, message, fields) => logger[severity](message, fields);
    const { taskRuns } = this.state;
    const parts = { taskRuns, view: this.#view, builds: this.#builds, perform: this.#perform };
    const endPools = (): Promise<void> => this.#upkeep.endPools();
    return new Drain({ ...parts, endPools, clock, log, ...times }).run(signal);
  }

  async stop(): Promise<void> {
    this.#acting?.abort();
    this.#acting = undefined;
    await Promise.all([this.#lanes.stop(), this.#queue.stop(), this.#announcer.stop(), this.#upkeep.stop()]);
    await this.#events.stop();
  }

  collect(): MetricsSnapshot {
    const { clock, isLeader } = this.#options;
    const { taskRuns, hostConfig, hasSshSecret } = this.state;
    const now = () => clock.now();
    return collectMetrics({ taskRuns, hostConfig, hasSshSecret, isDraining: this.#isDraining, isLeader, now });
  }

  #newBuilds(): BuildReconciler {
    const { taskRuns, hostConfig, hasReported } = this.state;
    const { clock, namespace, keep } = this.#options;
    const installation = () => ({ operatorNamespace: namespace, instanceTag: hostConfig.config?.instanceTag ?? '' });
    const known = knownHosts(
      this.state,
      (host) => taskRuns.count('claims', host) + this.#lanes.assumedOn(host).length - this.#builds.undecidedOn(host),
    );
    const common = { perform: this.#perform, clock, installation, hasReported, keep };
    return new BuildReconciler({ ...common, taskRuns: this.#view, knownHosts: known });
  }

  #newLanes(): PlatformLanes {
    const { taskRuns, hostConfig, hasSshSecret, project } = this.state;
    return new PlatformLanes({
      taskRuns,
      hostConfig,
      hasSshSecret,
      isDraining: this.#isDraining,
      perform: this.#perform,
      clock: this.#options.clock,
      announcer: this.#announcer,
      hasLostFacts: (uid) => this.#builds.hasLostFacts(uid),
      lostClaimsOn: (host) => this.#builds.lostClaimsOn(host),
      tokens: this.state.tokens,
      lostHosts: (platform) => this.#builds.lostHosts(platform),
      refresh: refreshWith(this.#options.cluster, project, taskRuns),
      lookAgain: (platform, at) => this.#queue.addAt(platformKey(platform), at),
      onError: (platform, error) => this.#report('a build could not be assigned', error, { platform }),
    });
  }

  #newUpkeep(): Upkeep {
    return new Upkeep({
      ...this.#options,
      leaseKey: this.#options.leaseKey.secret,
      operatorNamespace: this.#options.namespace,
      state: this.state,
      perform: this.#perform,
      metrics: this.#metrics,
      events: this.#events,
      isUnderWay: (uid) => this.#lanes.isUnderWay(uid),
      assumedOn: (host) => this.#lanes.assumedOn(host),
      lookAtPlatform: (platform) => this.#queue.add(platformKey(platform)),
      configMap: () => this.#configNews.configMap,
      report: this.#report,
    });
  }

  #noteTaskRun(before: KeptTaskRun | undefined, after: KeptTaskRun | undefined): void {
    const hadLostFacts = this.#builds.noteChange(before, after);
    this.#upkeep.noteChange(before, after);
    if (before?.kind === 'user' && after === undefined) {
      this.#events.forget(before.uid);
      this.#announcer.forget(before.uid);
      this.#lanes.forget(before.uid);
    }
    if (this.#acting === undefined) return;
    // Counted by the one that acts: sums over replicas are true.
    // What is put back was counted before.
    if (!hadLostFacts) countChange(this.#metrics, before, after, this.#options.clock.now());
    for (const key of keysFor(before, after)) this.#queue.add(key);
  }

  #noteReport(report: SecretReport | undefined): void {
    const reporter = report === undefined ? undefined : this.state.taskRuns.byUid(report.taskRunUid);
    if (reporter?.kind === 'own' && this.#acting !== undefined) this.#queue.add(buildKey(reporter.userUid));
  }

  #hostsChanged(): void {
    this.#upkeep.noteConfig();
    if (this.#acting === undefined) return;
    for (const key of keysOfQueues(this.state.taskRuns)) this.#queue.add(key);
  }

  #waiting(uid: string): UserTaskRun | undefined {
    const taskRun = this.state.taskRuns.byUid(uid);
    return taskRun?.kind === 'user' && isWaiting(taskRun) && !this.#lanes.isUnderWay(uid) ? taskRun : undefined;
  }

  async #sweepUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const key of keysOfAll(this.state.taskRuns)) this.#queue.add(key);
      for (const uid of this.#builds.lostBuilds()) this.#queue.add(buildKey(uid));
      await this.#upkeep.sweep();
      await this.#options.clock.sleep(sweepPeriod, signal);
    }
  }
}

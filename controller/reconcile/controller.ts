// The shell around the pure core: caches fed by watches, doorbells, one queue, lanes and builds behind it. Acts only
// between start() and stop(), that is, while this process is the leader.
import { Cache } from '../kubernetes/cache.ts';
import type { Clock } from '../kubernetes/clock.ts';
import type { Cluster, KubeObject } from '../kubernetes/cluster.ts';
import { parseFacts, signFacts, verifyFacts } from '../lease/signed-facts.ts';
import { defaultKeepTimes } from '../lease/timeouts.ts';
import type { Action } from '../model/action.ts';
import type { LeaseFacts } from '../model/host-lease.ts';
import { minute } from '../model/instant.ts';
import { asTextMap } from '../model/json.ts';
import type { KeptTaskRun, UserTaskRun } from '../model/task-run.ts';
import { readOwnTaskRun } from '../taskruns/read-own-task-run.ts';
import { readUserTaskRun } from '../taskruns/read-user-task-run.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { MetricsSnapshot } from '../telemetry/metrics-snapshot.ts';
import { BuildReconciler } from './build-reconciler.ts';
import { collectMetrics } from './collect-metrics.ts';
import { countDone, countEnded } from './count.ts';
import { buildKey, keysFor, platformKey, type Key } from './doorbells.ts';
import { EventRecorder } from './event-recorder.ts';
import { HostConfigState } from './host-config-state.ts';
import { logAction } from './log-action.ts';
import { newLookQueue } from './look-queue.ts';
import { performWith, type Perform } from './perform.ts';
import { PlatformLanes } from './platform-lane.ts';
import { refreshWith } from './refresh.ts';
import { newSecretReports, type SecretReport, type SecretReports } from './secret-reports.ts';
import type { SshSecret } from './ssh-secrets.ts';
import { keysOfAll } from './sweep.ts';
import { isWaiting, taskRunIndexes, type TaskRuns } from './take-snapshot.ts';
import { WaitAnnouncer } from './wait-announcer.ts';
import type { WorkQueue } from './work-queue.ts';

export interface ControllerOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly namespace: string;
  readonly leaseKey: Buffer;
  readonly workers: number;
  readonly isLeader: () => boolean;
}

const sweepPeriod = minute;

export class Controller {
  readonly taskRuns: TaskRuns;
  readonly sshSecrets: Cache<SshSecret>;
  readonly secretReports: SecretReports;
  readonly hostConfig: HostConfigState;
  readonly #options: ControllerOptions;
  readonly #metrics: Metrics;
  readonly #queue: WorkQueue<Key>;
  readonly #announcer: WaitAnnouncer;
  readonly #lanes: PlatformLanes;
  readonly #builds: BuildReconciler;
  readonly #events: EventRecorder;
  #sweeping: AbortController | undefined;

  constructor(options: ControllerOptions, metrics: Metrics) {
    const { cluster, clock, logger, namespace } = options;
    this.#options = options;
    this.#metrics = metrics;
    const onListenerError = (error: unknown): void => this.#report('a change could not be noted', error);
    this.taskRuns = new Cache({ index: taskRunIndexes, onListenerError });
    this.sshSecrets = new Cache({ index: {}, onListenerError });
    this.secretReports = newSecretReports(onListenerError);
    this.hostConfig = new HostConfigState(namespace, clock.now());
    this.#events = new EventRecorder(cluster, clock, (error) => logger.debug('an Event was dropped', { error }));
    const performing = {
      cluster,
      taskRuns: this.taskRuns,
      project: this.project,
      sign: (uid: string, facts: LeaseFacts) => signFacts(options.leaseKey, uid, facts),
      events: this.#events,
      onDone: (action: Action) => {
        countDone(metrics, action, clock.now());
        logAction(logger, action);
        this.#builds.noteDone(action);
      },
    };
    const perform = performWith(performing);
    this.#builds = this.#newBuilds(perform);
    this.#announcer = new WaitAnnouncer({
      // Beside the lane, so its answers stay out of the cache: one that is late must not hide a claim.
      perform: performWith({ ...performing, taskRuns: { written: () => undefined, deletedByUs: () => undefined } }),
      clock,
      stillWaiting: (uid) => this.#waiting(uid),
      onError: (_uid, error) => logger.debug('a waiting build could not be told', { error }),
    });
    this.#lanes = this.#newLanes(perform);
    this.#queue = newLookQueue({
      lookAtPlatform: (platform) => this.#lanes.look(platform),
      lookAtBuild: (uid) => this.#builds.look(uid),
      workers: options.workers,
      clock,
      logger,
      report: (message, error, fields) => this.#report(message, error, fields),
    });
    this.taskRuns.onChange((before, after) => this.#noteTaskRun(before, after));
    this.sshSecrets.onChange(() => this.#lookAtPlatforms());
    this.secretReports.onChange((_before, after) => this.#noteReport(after));
  }

  /** What is kept of a TaskRun; undefined: nothing. */
  readonly project = (raw: KubeObject): KeptTaskRun | undefined => {
    const own = raw.metadata.namespace === this.#options.namespace ? readOwnTaskRun(raw, parseFacts) : undefined;
    return own ?? readUserTaskRun(raw, (uid, signed) => verifyFacts(this.#options.leaseKey, uid, signed));
  };

  hasSshSecret(name: string): boolean {
    return this.sshSecrets.get(this.#options.namespace, name) !== undefined;
  }

  /** The ConfigMap host-config changed; undefined: it is gone. */
  noteHostConfig(configMap: KubeObject | undefined): void {
    const data = configMap === undefined ? undefined : asTextMap(configMap['data']);
    this.hostConfig.update(data, this.#options.clock.now());
    const { config } = this.hostConfig;
    for (const problem of config?.problems ?? []) {
      const { key, message } = problem;
      this.#options.logger[problem.severity === 'error' ? 'error' : 'warn'](`host-config: ${key} ${message}`, { key });
    }
    const pools = [...(config?.pools.values() ?? [])];
    const platforms = (kind: string): string[] =>
      pools.filter((pool) => pool.kind === kind).map(({ platform }) => platform);
    this.#metrics.setPlatforms(platforms('static'), platforms('local'));
    this.#lookAtPlatforms();
  }

  /** Called once the caches are filled and this process is the leader. */
  start(): void {
    const stop = new AbortController();
    this.#sweeping = stop;
    void this.#sweepUntil(stop.signal);
  }

  async stop(): Promise<void> {
    this.#sweeping?.abort();
    this.#sweeping = undefined;
    await Promise.all([this.#queue.stop(), this.#announcer.stop()]);
  }

  collect(): MetricsSnapshot {
    const { clock, isLeader } = this.#options;
    const { taskRuns, hostConfig } = this;
    const hasSshSecret = (name: string): boolean => this.hasSshSecret(name);
    return collectMetrics({ taskRuns, hostConfig, hasSshSecret, isLeader, now: () => clock.now() });
  }

  #newBuilds(perform: Perform): BuildReconciler {
    const { taskRuns, hostConfig, secretReports } = this;
    const { clock, namespace } = this.#options;
    const installation = () => ({ operatorNamespace: namespace, instanceTag: hostConfig.config?.instanceTag ?? '' });
    const hasReported = (uid: string): boolean => [...secretReports.by('taskRun', uid)].length > 0;
    return new BuildReconciler({ taskRuns, perform, clock, installation, hasReported, keep: defaultKeepTimes });
  }

  #newLanes(perform: Perform): PlatformLanes {
    return new PlatformLanes({
      taskRuns: this.taskRuns,
      hostConfig: this.hostConfig,
      perform,
      clock: this.#options.clock,
      announcer: this.#announcer,
      hasLostFacts: (uid) => this.#builds.hasLostFacts(uid),
      lostClaimsOn: (host) => this.#builds.lostClaimsOn(host),
      hasSshSecret: (name) => this.hasSshSecret(name),
      refresh: refreshWith(this.#options.cluster, this.project, this.taskRuns),
      lookAgain: (platform, at) => this.#queue.addAt(platformKey(platform), at),
      onError: (platform, error) => this.#report('a build could not be assigned', error, { platform }),
    });
  }

  #noteTaskRun(before: KeptTaskRun | undefined, after: KeptTaskRun | undefined): void {
    this.#builds.noteChange(before, after);
    countEnded(this.#metrics, before, after);
    if (before?.kind === 'user' && after === undefined) {
      this.#events.forget(before.uid);
      this.#announcer.forget(before.uid);
      this.#lanes.forget(before.uid);
    }
    if (this.#sweeping !== undefined) for (const key of keysFor(before, after)) this.#queue.add(key);
  }

  #noteReport(report: SecretReport | undefined): void {
    const reporter = report === undefined ? undefined : this.taskRuns.byUid(report.taskRunUid);
    if (reporter?.kind === 'own' && this.#sweeping !== undefined) this.#queue.add(buildKey(reporter.userUid));
  }

  #lookAtPlatforms(): void {
    if (this.#sweeping === undefined) return;
    const platforms = new Set<string>();
    for (const taskRun of this.taskRuns.values()) {
      if (taskRun.kind === 'user' && isWaiting(taskRun) && taskRun.platform !== undefined)
        platforms.add(taskRun.platform);
    }
    for (const platform of platforms) this.#queue.add(platformKey(platform));
  }

  #waiting(uid: string): UserTaskRun | undefined {
    const taskRun = this.taskRuns.byUid(uid);
    return taskRun?.kind === 'user' && isWaiting(taskRun) && !this.#lanes.isUnderWay(uid) ? taskRun : undefined;
  }

  async #sweepUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const key of keysOfAll(this.taskRuns)) this.#queue.add(key);
      await this.#options.clock.sleep(sweepPeriod, signal);
    }
  }

  #report(message: string, error: unknown, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#metrics.countReconcileError();
    this.#options.logger.warn(message, { ...fields, error });
  }
}

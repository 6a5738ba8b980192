// The watches that fill the caches: which objects, and what is kept of each. Reads only.
import { Cache, type CachedObject } from '../kubernetes/cache.ts';
import type { KubeObject } from '../kubernetes/cluster.ts';
import { Reflector, type WatchSender } from '../kubernetes/reflector.ts';
import type { Clock } from '../model/clock.ts';
import { hostConfigName, labels, secretNamePrefix } from '../model/labels.ts';
import { storedKeyLabel } from '../model/one-time-key.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Controller } from './controller.ts';
import { readLaunchReport, unschedulableReason } from './launch-news.ts';
import { readOwnedSecret } from './orphan-sweep.ts';
import { keepProviderTask } from './provider-tasks.ts';
import { readSecretReport, secretCreatedReason } from './secret-reports.ts';
import { readSshSecret } from './ssh-secrets.ts';

export interface NamedWatch {
  readonly name: string;
  readonly reflector: Pick<Reflector<never>, 'synced' | 'untilSynced' | 'lastActivity'>;
}

export interface WatchOptions {
  readonly controller: Controller;
  readonly sender: WatchSender;
  readonly clock: Clock;
  /** Of host-config, ssh Secrets, and what TaskRuns of ours report. */
  readonly namespace: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

interface KeptConfigMap extends CachedObject {
  readonly raw: KubeObject;
}

/** They go on, through every kind of trouble, until the signal. */
export function startWatches(options: WatchOptions, signal: AbortSignal): NamedWatch[] {
  const { controller, namespace, logger } = options;
  const onListenerError = (error: unknown): void => logger.error('host-config could not be read', { error });
  const configMaps = new Cache<KeptConfigMap>({ index: {}, onListenerError });
  configMaps.onChange((_before, after) => controller.noteHostConfig(after?.raw));
  const reflectors = {
    taskruns: new Reflector({
      ...commonOptions('taskruns', options),
      scope: { resource: 'taskruns' },
      cache: controller.state.taskRuns,
      project: controller.state.project,
      marks: [secretNamePrefix, labels.taskType],
    }),
    configmaps: new Reflector({
      ...commonOptions('configmaps', options),
      scope: {
        resource: 'configmaps',
        namespace,
        fieldSelector: `metadata.name=${hostConfigName}`,
        labelSelector: labels.multiPlatformConfig,
      },
      cache: configMaps,
      project: keepConfigMap,
    }),
    secrets: new Reflector({
      ...commonOptions('secrets', options),
      scope: { resource: 'secrets', namespace, labelSelector: labels.multiPlatformSecret, metadataOnly: true },
      cache: controller.state.sshSecrets,
      project: readSshSecret,
    }),
    ...eventReflectors(options),
    keys: new Reflector({
      ...commonOptions('secrets', options),
      scope: { resource: 'secrets', namespace, labelSelector: storedKeyLabel, metadataOnly: true },
      cache: controller.state.ownedSecrets,
      project: readOwnedSecret,
    }),
  };
  watchProviderTasks(options, signal);
  return Object.entries(reflectors).map(([name, reflector]) => {
    void reflector.run(signal);
    return { name, reflector };
  });
}

/** What TaskRuns of ours tell before they end. */
function eventReflectors(options: WatchOptions) {
  const { controller, namespace } = options;
  return {
    events: new Reflector({
      ...commonOptions('events', options),
      scope: { resource: 'events', namespace, fieldSelector: `reason=${secretCreatedReason}` },
      cache: controller.state.secretReports,
      project: readSecretReport,
    }),
    launches: new Reflector({
      ...commonOptions('events', options),
      scope: { resource: 'events', namespace, fieldSelector: `reason=${unschedulableReason}` },
      cache: controller.state.launchReports,
      project: readLaunchReport,
    }),
  };
}

/**
 * Nothing waits for them but platforms whose hosts are launched: where the controller may not read Tasks, as after an
 * upgrade without its new RBAC, all others go on.
 */
function watchProviderTasks(options: WatchOptions, signal: AbortSignal): void {
  const { providerTasks } = options.controller.state;
  const reflector = new Reflector({
    ...commonOptions('tasks', options),
    scope: { resource: 'tasks', namespace: options.namespace },
    cache: providerTasks.cache,
    project: keepProviderTask,
  });
  void reflector.run(signal);
  void reflector.untilSynced().then(() => providerTasks.noteComplete());
}

function commonOptions(resource: string, { sender, clock, logger, metrics }: WatchOptions) {
  const onTrouble = (trouble: string, error: unknown): void => {
    metrics.countWatchRestart(resource);
    // Usual where little changes.
    const severity = trouble === 'expired' ? 'debug' : 'warn';
    logger[severity](`watch of ${resource}: ${trouble} trouble, it goes on`, { error });
  };
  return { sender, clock, random: Math.random, onTrouble };
}

function keepConfigMap(raw: KubeObject): KeptConfigMap {
  const { uid, name, namespace = '', resourceVersion } = raw.metadata;
  return { uid, namespace, name, resourceVersion, raw };
}

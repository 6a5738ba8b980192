// What follows from a new host-config, and from new Tasks of providers, against which it is read: people are told that it
// counts now and what is wrong, metrics learn the platforms, and whoever waits for hosts is looked at again.
import type { Instant } from '../model/instant.ts';
import { asTextMap } from '../model/json.ts';
import type { ProviderTasks } from '../model/provider.ts';
import type { KubeObject } from '../kubernetes/cluster.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ConfigReporter } from './config-reporter.ts';
import type { ObjectReference } from './event-recorder.ts';
import type { HostConfigState } from './host-config-state.ts';

export interface ConfigNewsOptions {
  readonly hostConfig: HostConfigState;
  readonly reporter: Pick<ConfigReporter, 'note'>;
  readonly metrics: Pick<Metrics, 'setPlatforms'>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  readonly now: () => Instant;
  readonly hostsChanged: () => void;
}

export class ConfigNews {
  readonly #options: ConfigNewsOptions;
  #configMap: ObjectReference | undefined;
  #isThere = false;

  constructor(options: ConfigNewsOptions) {
    this.#options = options;
  }

  /** The ConfigMap that was read last. */
  get configMap(): ObjectReference | undefined {
    return this.#configMap;
  }

  /** The ConfigMap host-config changed; undefined: it is gone. */
  noteHostConfig(configMap: KubeObject | undefined): void {
    const { hostConfig, now, logger } = this.#options;
    hostConfig.update(configMap && asTextMap(configMap['data']), now());
    this.#isThere = configMap !== undefined;
    if (configMap !== undefined) this.#configMap = referenceTo(configMap);
    this.#tell();
    // Whoever rolls out a change sees from when it counts.
    if (configMap === undefined) logger.warn('host-config is not there: builds that need a host wait for it');
    else logger.info('host-config was read', { resourceVersion: configMap.metadata.resourceVersion });
  }

  noteProviderTasks(tasks: ProviderTasks): void {
    const { hostConfig, now } = this.#options;
    hostConfig.updateTasks(tasks, now());
    this.#tell();
  }

  #tell(): void {
    const { hostConfig, reporter, metrics, hostsChanged } = this.#options;
    const { config } = hostConfig;
    if (this.#isThere && this.#configMap !== undefined) reporter.note(this.#configMap, config?.problems ?? []);
    const pools = [...(config?.pools.values() ?? [])];
    const local = pools.filter(({ kind }) => kind === 'local');
    const withHosts = pools.filter(({ kind }) => kind !== 'local');
    metrics.setPlatforms(
      withHosts.map(({ platform }) => platform),
      local.map(({ platform }) => platform),
    );
    hostsChanged();
  }
}

function referenceTo({ metadata }: KubeObject): ObjectReference {
  const { namespace = '', name, uid } = metadata;
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name, uid };
}

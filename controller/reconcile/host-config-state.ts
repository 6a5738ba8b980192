// The host-config in force: the newest one, read against the Tasks of providers and against the one before it, so that a
// mistake in a list or in a host takes away no more than it must. Knows since when a platform is out of use, so that a short
// mistake costs no build.
import type { UnusablePool } from '../allocation/pool-snapshot.ts';
import type { HostConfig } from '../config/host-config.ts';
import { parseHostConfig } from '../config/parse-host-config.ts';
import type { Instant } from '../model/instant.ts';
import { hostConfigName, labels } from '../model/labels.ts';
import { parsePlatform } from '../model/platform.ts';
import type { Pool } from '../model/pool.ts';
import type { ProviderTasks } from '../model/provider.ts';

export type ConfiguredPool =
  | { readonly status: 'pool'; readonly pool: Pool }
  | { readonly status: 'unknown'; readonly configured: readonly string[] }
  | UnusablePool;

export class HostConfigState {
  readonly #namespace: string;
  #config: HostConfig | undefined;
  #data: Readonly<Record<string, string>> | undefined;
  #tasks: ProviderTasks | undefined;
  #missingSince: Instant | undefined;
  readonly #brokenSince = new Map<string, Instant>();

  constructor(namespace: string, now: Instant) {
    this.#namespace = namespace;
    this.#missingSince = now;
  }

  /** The last one there was, also when there is none now; undefined until one was read for the first time. */
  get config(): HostConfig | undefined {
    return this.#config;
  }

  /** Takes over the ConfigMap's data; undefined: there is none now, and no host is given away until there is. */
  update(data: Readonly<Record<string, string>> | undefined, now: Instant): void {
    if (data === undefined) {
      this.#missingSince ??= now;
      return;
    }
    this.#missingSince = undefined;
    this.#data = data;
    this.#parse(data, now);
  }

  /** Until it is called no platform of launched hosts can be used. */
  updateTasks(tasks: ProviderTasks, now: Instant): void {
    this.#tasks = tasks;
    if (this.#data !== undefined) this.#parse(this.#data, now);
  }

  poolOf(name: string): ConfiguredPool {
    if (this.#config === undefined || this.#missingSince !== undefined) return this.#missing();
    const platform = parsePlatform(name);
    const pool = platform === undefined ? undefined : this.#config.pools.get(platform);
    if (pool !== undefined) return { status: 'pool', pool };
    const problems = this.#config.broken.get(name);
    if (problems === undefined) return { status: 'unknown', configured: [...this.#config.pools.keys()] };
    const [first] = problems;
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    const message = `host-config has no usable host for platform ${name}: ${first?.key} ${first?.message}${more}`;
    return {
      status: 'unusable',
      since: this.#brokenSince.get(name) ?? 0,
      told: { reason: 'HostConfigInvalid', message: `Error allocating host: ${message}` },
    };
  }

  #parse(data: Readonly<Record<string, string>>, now: Instant): void {
    this.#config = parseHostConfig(data, this.#config?.known, this.#tasks);
    const { broken } = this.#config;
    for (const platform of this.#brokenSince.keys()) if (!broken.has(platform)) this.#brokenSince.delete(platform);
    for (const platform of broken.keys()) if (!this.#brokenSince.has(platform)) this.#brokenSince.set(platform, now);
  }

  #missing(): UnusablePool {
    const missing = `ConfigMap ${hostConfigName} not found in namespace ${this.#namespace}`;
    const remedy = `ask an administrator to create it, with label ${labels.multiPlatformConfig}`;
    return {
      status: 'unusable',
      since: this.#missingSince ?? 0,
      told: { reason: 'HostConfigUnreadable', message: `failed to read host config: ${missing}: ${remedy}` },
    };
  }
}

// The host-config in force: the newest one, or the last good one while it cannot be read. Knows since when a platform
// is out of use, so that a short mistake in a config costs no build.
import { parseHostConfig } from '../config/parse-host-config.ts';
import type { HostConfig } from '../config/host-config.ts';
import type { UnusablePool } from '../allocation/pool-snapshot.ts';
import type { Instant } from '../model/instant.ts';
import { hostConfigName } from '../model/labels.ts';
import type { Pool } from '../model/pool.ts';

export type ConfiguredPool =
  | { readonly status: 'pool'; readonly pool: Pool }
  | { readonly status: 'unknown'; readonly configured: readonly string[] }
  | UnusablePool;

export class HostConfigState {
  readonly #namespace: string;
  #config: HostConfig | undefined;
  #missingSince: Instant | undefined;
  readonly #brokenSince = new Map<string, Instant>();

  constructor(namespace: string, now: Instant) {
    this.#namespace = namespace;
    this.#missingSince = now;
  }

  /** undefined until a host-config was read for the first time. */
  get config(): HostConfig | undefined {
    return this.#config;
  }

  /** Takes over the ConfigMap's data; undefined: there is none now, and the last one goes on being used. */
  update(data: Readonly<Record<string, string>> | undefined, now: Instant): void {
    if (data === undefined) {
      this.#missingSince ??= now;
      return;
    }
    this.#missingSince = undefined;
    this.#config = parseHostConfig(data);
    const { broken } = this.#config;
    for (const platform of this.#brokenSince.keys()) if (!broken.has(platform)) this.#brokenSince.delete(platform);
    for (const platform of broken.keys()) if (!this.#brokenSince.has(platform)) this.#brokenSince.set(platform, now);
  }

  poolOf(platform: string): ConfiguredPool {
    if (this.#config === undefined) return this.#unreadable();
    for (const pool of this.#config.pools.values()) if (pool.platform === platform) return { status: 'pool', pool };
    const problems = this.#config.broken.get(platform);
    if (problems === undefined) return { status: 'unknown', configured: [...this.#config.pools.keys()] };
    const [first] = problems;
    const message = `host-config has no usable host for platform ${platform}: ${first?.key} ${first?.message}`;
    return {
      status: 'unusable',
      since: this.#brokenSince.get(platform) ?? 0,
      told: { reason: 'HostConfigInvalid', message: `Error allocating host: ${message}` },
    };
  }

  #unreadable(): UnusablePool {
    const missing = `ConfigMap ${hostConfigName} not found in namespace ${this.#namespace}`;
    const remedy = 'ask an administrator to create it';
    return {
      status: 'unusable',
      since: this.#missingSince ?? 0,
      told: { reason: 'HostConfigUnreadable', message: `failed to read host config: ${missing}: ${remedy}` },
    };
  }
}

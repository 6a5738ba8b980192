// What a host-config came to, as short sentences.
import type { HostConfig } from '../../../controller/config/host-config.ts';
import type { LaunchedPool, StaticPool } from '../../../controller/model/pool.ts';
import { platform } from '../../support/host-builders.ts';

export function staticPool(config: HostConfig, name = 'linux/arm64'): StaticPool {
  const pool = config.pools.get(platform(name));
  if (pool?.kind !== 'static') throw new Error(`${name} has no static pool`);
  return pool;
}

export function launchedPool(config: HostConfig, name = 'linux/arm64'): LaunchedPool {
  const pool = config.pools.get(platform(name));
  if (pool?.kind !== 'dynamic' && pool?.kind !== 'dynamic-pool') throw new Error(`${name} has no launched pool`);
  return pool;
}

/** `key message` of each problem of that severity. */
export function told(config: HostConfig, severity: 'error' | 'warning' = 'error'): string[] {
  return config.problems.filter((it) => it.severity === severity).map(({ key, message }) => `${key} ${message}`);
}

// What a host-config came to, as short sentences.
import type { HostConfig } from '../../../controller/config/host-config.ts';
import type { StaticPool } from '../../../controller/model/pool.ts';
import { platform } from '../../support/host-builders.ts';

export function staticPool(config: HostConfig, name = 'linux/arm64'): StaticPool {
  const pool = config.pools.get(platform(name));
  if (pool?.kind !== 'static') throw new Error(`${name} has no static pool`);
  return pool;
}

/** `key message` of each problem of that severity. */
export function told(config: HostConfig, severity: 'error' | 'warning' = 'error'): string[] {
  return config.problems.filter((it) => it.severity === severity).map(({ key, message }) => `${key} ${message}`);
}

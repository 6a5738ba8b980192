// The platforms that builds of rounds use, each its own, and the host-config that has them.
import { launchedConfig, toyTasks, type ProviderTaskBuilder } from './provider-builders.ts';

/** Builds one round can have. */
export const platforms = 40;
export const hostsOfPlatform = 2;
export const sshSecret = 'key';
const poolList = 'dynamic-pool-platforms';
const poolType = 'shared';

export function platformOf(index: number): string {
  return `linux-n${index}/arm64`;
}

/** May have one host. */
export function launchedPlatformOf(index: number): string {
  return `linux-l${index}/arm64`;
}

/** One host, which one build uses, and nobody after it. */
export function pooledPlatformOf(index: number): string {
  return `linux-p${index}/arm64`;
}

/** Without a list Task: it would run for each of the many pools, after every start of a controller. */
export function poolTasks(): ProviderTaskBuilder[] {
  return toyTasks(poolType).slice(0, 2);
}

export function roundConfig(pools: number, retired: ReadonlySet<string>): Record<string, string> {
  const pooled = Array.from({ length: pools }, (_, index) => pooledPlatformOf(index));
  const standing = pooled.filter((it) => !retired.has(it.replace('/', '-')));
  const config: Record<string, string> = { 'update-interval': 'never', [poolList]: standing.join(',') };
  for (const platform of standing) Object.assign(config, poolKeys(platform));
  const launched = Array.from({ length: platforms }, (_, index) => launchedPlatformOf(index));
  config['dynamic-platforms'] = launched.join(',');
  for (const platform of launched) {
    const prefix = `dynamic.${platform.replace('/', '-')}`;
    config[`${prefix}.type`] = 'toy';
    config[`${prefix}.max-instances`] = '1';
    config[`${prefix}.ssh-secret`] = sshSecret;
  }
  for (let index = 0; index < platforms * hostsOfPlatform; index += 1) {
    const host = `host.h${index}`;
    config[`${host}.address`] = `10.1.1.${index + 1}`;
    config[`${host}.user`] = 'builder';
    config[`${host}.platform`] = platformOf(index % platforms);
    config[`${host}.secret`] = sshSecret;
    config[`${host}.concurrency`] = '1';
  }
  return config;
}

function poolKeys(platform: string): Record<string, string> {
  const { [poolList]: _platform, ...keys } = launchedConfig(
    { type: poolType, 'max-instances': '1', 'ssh-secret': sshSecret },
    platform,
    poolList,
  );
  return keys;
}

// What the Tasks of a provider are given: params by the keys of host-config, and Secrets by workspace. A Task gets only
// what it declares.
import type { LaunchedPool } from '../model/pool.ts';
import { credentialsWorkspace, paramOfKey, sshWorkspace, type ProviderTask } from '../model/provider.ts';
import { second } from '../model/instant.ts';

/** All that depends on the pool alone, whatever host it is about. */
export function poolParams(pool: LaunchedPool, task: ProviderTask): Record<string, string> {
  const settings = Object.entries(pool.settings).map(([key, value]) => [paramOfKey(key), value] as const);
  const offered = {
    // What we offer ourselves stands last: no config key may take its name.
    ...Object.fromEntries(settings),
    PLATFORM: pool.platform,
    INSTANCE_TAG: pool.instanceTag,
    ADDITIONAL_INSTANCE_TAGS: pool.additionalTags,
    ALLOCATION_TIMEOUT: String(Math.round(pool.allocationTimeout / second)),
    SSH_SECRET: pool.sshSecret,
  };
  const declared = new Set(task.params.map(({ name }) => name));
  return Object.fromEntries(Object.entries(offered).filter(([name]) => declared.has(name)));
}

/** Workspace → Secret. */
export function poolSecrets(pool: LaunchedPool, task: ProviderTask): Record<string, string> {
  const offered = { [sshWorkspace]: pool.sshSecret, [credentialsWorkspace]: pool.credentials };
  const declared = new Set(task.workspaces.map(({ name }) => name));
  return Object.fromEntries(Object.entries(offered).filter(([name, secret]) => declared.has(name) && secret !== ''));
}

// The Secrets that a platform of launched hosts needs, to launch them or to log in: the first that is missing, and what builds are
// told about it. Goes by names; contents are never read.
import type { MissingSecret } from '../allocation/pool-snapshot.ts';
import { noCredentials, noSshSecretNamed } from '../allocation/told-reasons.ts';
import { launchedPrefix } from '../config/launched-entry.ts';
import type { LaunchedPool } from '../model/pool.ts';
import { credentialsWorkspace } from '../model/provider.ts';
import { poolSecrets } from '../taskruns/launch-params.ts';
import type { SnapshotSources } from './take-snapshot.ts';

export function missingSecretOf(
  pool: LaunchedPool,
  { hasSshSecret, missingSince }: Pick<SnapshotSources, 'hasSshSecret' | 'missingSince'>,
): MissingSecret | undefined {
  const { sshSecret, provider, platform } = pool;
  const credentials = poolSecrets(pool, provider.launch)[credentialsWorkspace] ?? '';
  const key = `${launchedPrefix(platform)}.${provider.launch.credentialsKey}`;
  const needed = [
    { name: sshSecret, told: noSshSecretNamed(sshSecret) },
    { name: credentials, told: noCredentials(key, credentials) },
  ].filter(({ name }) => name !== '');
  // Each is asked for at every look, so that the grace of one that comes and goes begins anew.
  const since = new Map(needed.map(({ name }) => [name, missingSince?.(name) ?? -Infinity]));
  const missing = needed.find(({ name }) => !hasSshSecret(name));
  return missing && { told: missing.told, since: since.get(missing.name) ?? -Infinity };
}

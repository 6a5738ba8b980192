// A host, configured or launched, as the facts of a lease keep it: all that is needed to release it when the config has changed.
import type { Host } from '../model/host.ts';
import type { HostFacts, LaunchFacts } from '../model/host-lease.ts';
import type { LaunchedPool } from '../model/pool.ts';
import type { OwnTaskRun } from '../model/task-run.ts';
import { poolParams, poolSecrets } from '../taskruns/launch-params.ts';

export function staticHost({ name, address, user, secret }: Host): HostFacts {
  return { provider: 'static', host: name, address, user, sshSecret: secret };
}

/** The build's own pod. */
export const localHost: HostFacts = { provider: 'local', host: 'localhost', address: '', user: '', sshSecret: '' };

/** A host to be launched for one build: what it will be terminated from is known before there is anything to terminate. */
export function hostToLaunch(pool: LaunchedPool, token: string): HostFacts & { readonly launch: LaunchFacts } {
  const { provider, allocationTimeout, instanceTag, sudoCommands, sshSecret } = pool;
  const launch: LaunchFacts = {
    type: provider.type,
    timeout: allocationTimeout,
    ...(provider.launch.preparesItself ? { preparesItself: true } : {}),
    instanceTag,
    sudoCommands,
    params: poolParams(pool, provider.terminate),
    secrets: poolSecrets(pool, provider.terminate),
  };
  return { provider: 'dynamic', host: token, address: '', user: '', sshSecret, launch };
}

/** With what its launch TaskRun said. */
export function launchedHost<Claim extends HostFacts>(claim: Claim, launched: OwnTaskRun | undefined): Claim {
  const { launch } = claim;
  if (launch === undefined || launched === undefined) return claim;
  const { INSTANCE_ID, ADDRESS, USER } = launched.results;
  const instanceId = launch.instanceId ?? INSTANCE_ID;
  return {
    ...claim,
    address: claim.address === '' ? (ADDRESS ?? '') : claim.address,
    user: claim.user === '' ? (USER ?? '') : claim.user,
    launch: instanceId === undefined ? launch : { ...launch, instanceId },
  };
}

/** How people know it. */
export function hostText({ host, launch }: HostFacts): string {
  return launch?.instanceId ?? host;
}

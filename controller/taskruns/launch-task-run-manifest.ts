// The TaskRun that launches a host, for one build or (lease/pooled-launch.ts) for several, as a manifest. Its params, labels
// and workspaces are API (contract of the provider's Tasks).
import type { TaskRunManifest } from '../model/action.ts';
import type { HostFacts, LeaseFacts } from '../model/host-lease.ts';
import { minute, second } from '../model/instant.ts';
import { annotations, labels, secretNameFor } from '../model/labels.ts';
import type { LaunchedPool } from '../model/pool.ts';
import { poolParams, poolSecrets } from './launch-params.ts';
import { launchName } from './names.ts';
import { wishedResources } from './wished-resources.ts';
import { ownLabels, paramList, type BuildIdentity, type Installation } from './own-task-run-manifest.ts';

/** Of launch, terminate and list TaskRuns. */
export const providerServiceAccount = 'multi-platform-launch';

/** `wishes`: what the build asks for its host. The same token again is the same host: a TaskRun that was lost can be made again. */
export function launchTaskRun(
  build: BuildIdentity,
  facts: LeaseFacts,
  claim: HostFacts,
  pool: LaunchedPool,
  { operatorNamespace }: Installation,
  wishes: Readonly<Record<string, string>> = {},
): TaskRunManifest {
  const { launch } = pool.provider;
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: {
      name: launchName({ ...build, host: claim.host, attempt: facts.attempt }),
      namespace: operatorNamespace,
      labels: { ...ownLabels(build, facts, 'launch'), [labels.assignedHost]: claim.host },
      annotations: { [annotations.hostLease]: JSON.stringify(facts) },
    },
    spec: {
      serviceAccountName: providerServiceAccount,
      taskRef: { name: launch.name },
      params: paramList({
        ...poolParams(pool, launch),
        ...wishedResources(wishes, pool),
        ...hostParams(build, facts, claim),
      }),
      workspaces: secretWorkspaces(poolSecrets(pool, launch)),
      // It is cancelled when its time is over; this is for when nobody is there to do that.
      timeout: `${Math.round((pool.allocationTimeout + minute) / second)}s`,
    },
  };
}

/** About the one host; Tekton ignores what a Task does not declare. */
export function hostParams(build: BuildIdentity, { attempt }: LeaseFacts, claim: HostFacts): Record<string, string> {
  return {
    LAUNCH_TOKEN: claim.host,
    TASKRUN_NAME: build.name,
    NAMESPACE: build.namespace,
    TASKRUN_UID: build.uid,
    SECRET_NAME: secretNameFor(build.name),
    ATTEMPT: String(attempt),
  };
}

export function secretWorkspaces(secrets: Readonly<Record<string, string>>): unknown[] {
  return Object.entries(secrets).map(([name, secretName]) => ({ name, secret: { secretName } }));
}

// The TaskRun that removes a launched host, as a manifest. Made from facts alone: host-config and the provider's Tasks may
// have changed since the launch.
import type { TaskRunManifest } from '../model/action.ts';
import type { HostFacts, LaunchFacts, LeaseFacts } from '../model/host-lease.ts';
import { annotations, labels, ownTaskRunFinalizer } from '../model/labels.ts';
import { providerTaskName } from '../model/provider.ts';
import { hostParams, providerServiceAccount, secretWorkspaces } from './launch-task-run-manifest.ts';
import { terminateName } from './names.ts';
import { ownLabels, paramList, type BuildIdentity, type Installation } from './own-task-run-manifest.ts';

export function terminateTaskRun(
  build: BuildIdentity,
  facts: LeaseFacts,
  claim: HostFacts & { readonly launch: LaunchFacts },
  nth: number,
  { operatorNamespace }: Installation,
): TaskRunManifest {
  const { launch } = claim;
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: {
      name: terminateName({ ...build, host: claim.host, attempt: facts.attempt }, nth),
      namespace: operatorNamespace,
      labels: {
        ...ownLabels(build, facts, 'terminate'),
        [labels.assignedHost]: claim.host,
        [labels.cleanupTry]: String(nth),
      },
      annotations: { [annotations.hostLease]: JSON.stringify(facts) },
      finalizers: [ownTaskRunFinalizer],
    },
    spec: {
      serviceAccountName: providerServiceAccount,
      taskRef: { name: providerTaskName('terminate', launch.type) },
      params: paramList({
        ...launch.params,
        ...hostParams(build, facts, claim),
        INSTANCE_ID: launch.instanceId ?? '',
      }),
      workspaces: secretWorkspaces(launch.secrets),
      retries: nth === 1 ? 3 : 0,
    },
  };
}

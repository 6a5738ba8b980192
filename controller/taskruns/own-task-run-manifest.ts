// The TaskRuns that prepare a host for a build and clean it afterwards, as manifests. Names, params, labels and resources
// are API (contract of the Tasks). Those that launch, terminate, list and update hosts have files of their own.
import type { TaskRunManifest } from '../model/action.ts';
import { hostLabel } from '../model/host-label.ts';
import type { HostFacts, LeaseFacts } from '../model/host-lease.ts';
import { annotations, labels, ownTaskRunFinalizer, secretNameFor, type TaskType } from '../model/labels.ts';
import { dashedPlatform, rawPlatform } from '../model/platform.ts';
import { cleanupName, provisionName } from './names.ts';
import { olderBuildUid } from './older-task-run.ts';

/** The user TaskRun as its helpers know it; enough also after it is gone. */
export interface BuildIdentity {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/** Settings of the installation that go into TaskRuns. */
export interface Installation {
  readonly operatorNamespace: string;
  readonly instanceTag: string;
}

/** Prepares `claim` for the build and creates the build's Secret. */
export function provisionTaskRun(
  build: BuildIdentity,
  facts: LeaseFacts,
  claim: HostFacts,
  installation: Installation,
): TaskRunManifest {
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: {
      name: provisionName({ ...build, host: claim.host, attempt: facts.attempt }),
      namespace: installation.operatorNamespace,
      labels: { ...ownLabels(build, facts, 'provision'), [labels.assignedHost]: hostLabel(claim) },
      annotations: { [annotations.hostLease]: JSON.stringify(facts) },
    },
    spec: {
      serviceAccountName: 'multi-platform-provision',
      taskRef: { name: provisionTaskOf(facts.platform) },
      params: paramList({
        ...leaseParams(build, facts, claim),
        // Static hosts decide about sudo themselves.
        SUDO_COMMANDS: claim.launch?.sudoCommands ?? '',
        RAW_PLATFORM: rawPlatform(facts.platform),
        // That of the installation, also where the platform has one of its own: only launches get that.
        INSTANCE_TAG: installation.instanceTag,
      }),
      workspaces: sshWorkspace(claim),
      // No CPU limit: throttled to a tenth of a core, starting ssh alone takes a second.
      computeResources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } },
    },
  };
}

/** Undoes what a provision TaskRun did on `claim`. Carries every fact it needs, and a finalizer until it succeeded. */
export function cleanupTaskRun(
  build: BuildIdentity,
  facts: LeaseFacts,
  claim: HostFacts,
  cleanupTry: number,
  installation: Installation,
): TaskRunManifest {
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: {
      name: cleanupName({ ...build, uid: knownAs(build, facts), host: claim.host, attempt: facts.attempt }, cleanupTry),
      namespace: installation.operatorNamespace,
      labels: {
        ...ownLabels(build, facts, 'clean'),
        [labels.assignedHost]: claim.host,
        [labels.cleanupTry]: String(cleanupTry),
      },
      annotations: { [annotations.hostLease]: JSON.stringify(facts) },
      finalizers: [ownTaskRunFinalizer],
    },
    spec: {
      serviceAccountName: 'multi-platform-clean',
      taskRef: { name: 'clean-shared-host' },
      params: paramList(leaseParams(build, facts, claim)),
      workspaces: sshWorkspace(claim),
      // A host that is down costs one pod each further time, not four.
      retries: cleanupTry === 1 ? 3 : 0,
      computeResources: { requests: { cpu: '100m', memory: '128Mi' } },
    },
  };
}

/** macOS and Windows hosts are prepared by Tasks that are not ours; those of the Go controller have these names. */
export function provisionTaskOf(platform: string): string {
  if (platform.startsWith('windows')) return 'provision-host-windows';
  return platform.startsWith('macos') ? 'provision-host-macos' : 'provision-shared-host';
}

export function ownLabels(build: BuildIdentity, facts: LeaseFacts, type: TaskType): Record<string, string> {
  return {
    [labels.taskType]: type,
    [labels.targetPlatform]: dashedPlatform(facts.platform),
    [labels.userTaskName]: build.name,
    [labels.userTaskNamespace]: build.namespace,
    // Attempt 0 belongs to a name, like the TaskRuns of the older controller beside it.
    ...(facts.attempt === 0 ? {} : { [labels.userTaskUid]: build.uid }),
    [labels.attempt]: String(facts.attempt),
  };
}

function leaseParams(build: BuildIdentity, facts: LeaseFacts, claim: HostFacts): Record<string, string> {
  return {
    SECRET_NAME: secretNameFor(build.name),
    TASKRUN_NAME: build.name,
    NAMESPACE: build.namespace,
    // An older controller named users without it.
    TASKRUN_UID: facts.attempt === 0 ? '' : build.uid,
    ATTEMPT: String(facts.attempt),
    HOST: claim.address,
    USER: claim.user,
  };
}

function knownAs({ uid, namespace, name }: BuildIdentity, { attempt }: LeaseFacts): string {
  return attempt === 0 ? olderBuildUid(namespace, name) : uid;
}

export function paramList(values: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

function sshWorkspace(claim: HostFacts): unknown[] {
  return [{ name: 'ssh', secret: { secretName: claim.sshSecret } }];
}

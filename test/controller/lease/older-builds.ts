// Builds as a Go controller leaves them behind: our finalizer, a label with the name of a host, no facts, and TaskRuns that
// know their build by name only.
import type { MemoryCluster } from '../../support/memory-cluster.ts';
import { asTextMap } from '../../../controller/model/json.ts';
import type { Host } from '../../../controller/model/host.ts';
import { labels, secretNameFor, userTaskRunFinalizer } from '../../../controller/model/labels.ts';
import { aTaskRun, operatorNamespace } from '../../support/builders.ts';

const namespace = 'team-a';

/** Marks a TaskRun as an older controller does when it gives it a host. */
export function olderMetadata(host: string): { finalizers: string[]; labels: Record<string, string> } {
  return {
    finalizers: [userTaskRunFinalizer],
    labels: { [labels.assignedHost]: host, [labels.targetPlatform]: 'linux-arm64' },
  };
}

export function putOlderBuild(cluster: MemoryCluster, name: string, host: string): void {
  const { metadata, spec, status } = aTaskRun().forPlatform('linux/arm64').withPod(`${name}-pod`).raw();
  const { creationTimestamp: _, ...rest } = metadata;
  cluster.put('taskruns', namespace, { metadata: { ...rest, name, ...olderMetadata(host) }, spec, status });
}

/** Not owned by its build, as an older provision Task makes it. */
export function putOlderSecret(cluster: MemoryCluster, build: string): void {
  const metadata = { name: secretNameFor(build), labels: { [labels.multiPlatformSecret]: 'true' } };
  cluster.put('secrets', namespace, { metadata, data: {} });
}

export function olderTaskRun(type: 'provision' | 'clean', build: string, host: Host): Record<string, unknown> {
  const back = { [labels.userTaskName]: build, [labels.userTaskNamespace]: namespace };
  const assigned = type === 'provision' ? { [labels.assignedHost]: host.name } : {};
  return {
    metadata: {
      name: `${build}-${type === 'provision' ? 'prov' : 'cleanup'}-1a2b3`,
      namespace: operatorNamespace,
      labels: { [labels.taskType]: type, [labels.targetPlatform]: 'linux-arm64', ...back, ...assigned },
    },
    spec: {
      taskRef: { name: type === 'provision' ? 'provision-shared-host' : 'clean-shared-host' },
      params: [
        { name: 'SECRET_NAME', value: secretNameFor(build) },
        { name: 'TASKRUN_NAME', value: build },
        { name: 'NAMESPACE', value: namespace },
        { name: 'HOST', value: host.address },
        { name: 'USER', value: host.user },
      ],
      workspaces: [{ name: 'ssh', secret: { secretName: host.secret } }],
    },
    status: {},
  };
}

export function putOlderTaskRun(cluster: MemoryCluster, type: 'provision' | 'clean', build: string, host: Host): void {
  const { metadata, ...rest } = olderTaskRun(type, build, host);
  cluster.put('taskruns', operatorNamespace, { metadata: { name: '', ...Object(metadata) }, ...rest });
}

/** Somebody edits the TaskRun of a build: what carries the facts is gone. */
export function stripAnnotations(cluster: MemoryCluster, name: string): void {
  cluster.change('taskruns', namespace, name, ({ metadata }) => {
    if (Object.keys(asTextMap(metadata['annotations'])).length > 0) metadata['annotations'] = {};
  });
}

// Secrets the controller itself creates for a build: local and error ones. Keys come from model/ssh-secret.ts.
import type { KubeManifest } from '../kubernetes/cluster.ts';
import { labels, secretNameFor } from '../model/labels.ts';
import type { UserTaskRun } from '../model/task-run.ts';

/** Owned by the TaskRun, so that it goes with it. */
export function secretManifest(owner: UserTaskRun, data: Readonly<Record<string, string>>): KubeManifest {
  const { name, uid } = owner;
  return {
    metadata: {
      name: secretNameFor(name),
      labels: { [labels.multiPlatformSecret]: 'true' },
      ownerReferences: [{ apiVersion: 'tekton.dev/v1', kind: 'TaskRun', name, uid }],
    },
    type: 'Opaque',
    stringData: data,
  };
}

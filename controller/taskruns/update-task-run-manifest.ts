// The TaskRun that cares for one host, as a manifest. Its params, labels and resources are API (contract of the Tasks).
import { createHash } from 'node:crypto';
import type { TaskRunManifest } from '../model/action.ts';
import type { Host } from '../model/host.ts';
import type { Instant } from '../model/instant.ts';
import { labels } from '../model/labels.ts';

const maxLength = 63;

/** `after`: the end of the update before, 0 when none is known. The same update always has the same name. */
export function updateTaskRun(host: Host, after: Instant, operatorNamespace: string): TaskRunManifest {
  const resources = { cpu: '100m', memory: '256Mi' };
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: {
      name: updateName(host.name, after),
      namespace: operatorNamespace,
      labels: { [labels.taskType]: 'update', [labels.assignedHost]: host.name },
      annotations: {},
    },
    spec: {
      serviceAccountName: 'multi-platform-update',
      taskRef: { name: 'update-host' },
      params: [
        { name: 'HOST', value: host.address },
        { name: 'USER', value: host.user },
        { name: 'PLATFORM', value: host.platform },
        { name: 'CONCURRENCY', value: String(host.concurrency) },
      ],
      workspaces: [{ name: 'ssh', secret: { secretName: host.secret } }],
      computeResources: { requests: resources, limits: resources },
    },
  };
}

/** `update-task-<host>-<10 hex>`, at most 63 characters, of letters that a name of an object may have. */
function updateName(host: string, after: Instant): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([host, after]))
    .digest('hex')
    .slice(0, 10);
  const parent = `update-task-${host.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
  return `${parent.slice(0, maxLength - hash.length - 1).replace(/-$/, '')}-${hash}`;
}

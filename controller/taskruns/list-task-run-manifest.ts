// The TaskRun that lists the instances of one platform's provider, as a manifest, and what it found. Its params, labels and
// result are API (contract of the provider's Tasks).
import { createHash } from 'node:crypto';
import type { TaskRunManifest } from '../model/action.ts';
import type { LeaseFacts } from '../model/host-lease.ts';
import type { Instant } from '../model/instant.ts';
import { asArray, asObject, asText } from '../model/json.ts';
import { annotations, labels } from '../model/labels.ts';
import { dashedPlatform } from '../model/platform.ts';
import type { LaunchedPool } from '../model/pool.ts';
import type { ProviderTask } from '../model/provider.ts';
import { poolParams, poolSecrets } from './launch-params.ts';
import { providerServiceAccount, secretWorkspaces } from './launch-task-run-manifest.ts';
import { paramList } from './own-task-run-manifest.ts';

const maxLength = 63;

/** An instance a provider has. */
export interface Instance {
  readonly id: string;
  readonly token: string;
}

/** `after`: the end of the list before, 0 when none is known. The same list always has the same name. */
export function listTaskRun(
  pool: LaunchedPool,
  list: ProviderTask,
  after: Instant,
  operatorNamespace: string,
): TaskRunManifest {
  const facts: LeaseFacts = { attempt: 0, platform: pool.platform };
  return {
    apiVersion: 'tekton.dev/v1',
    kind: 'TaskRun',
    metadata: {
      name: listName(pool.platform, after),
      namespace: operatorNamespace,
      labels: { [labels.taskType]: 'list', [labels.targetPlatform]: dashedPlatform(pool.platform) },
      // Its platform, as it is written.
      annotations: { [annotations.hostLease]: JSON.stringify(facts) },
    },
    spec: {
      serviceAccountName: providerServiceAccount,
      taskRef: { name: list.name },
      params: paramList(poolParams(pool, list)),
      workspaces: secretWorkspaces(poolSecrets(pool, list)),
      timeout: '5m0s',
    },
  };
}

/** Result INSTANCES; undefined when it is no list. What has no token is not ours. */
export function readInstances(text: string | undefined): readonly Instance[] | undefined {
  const listed = parseJson(text ?? '');
  if (!Array.isArray(listed)) return undefined;
  return asArray(listed).flatMap((raw) => {
    const { id, token } = asObject(raw);
    return asText(token) === undefined ? [] : [{ id: asText(id) ?? '', token: String(token) }];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `list-<platform>-<10 hex>`, at most 63 characters. */
function listName(platform: string, after: Instant): string {
  const parts = JSON.stringify([platform, after]);
  const hash = createHash('sha256').update(parts).digest('hex').slice(0, 10);
  const parent = `list-${dashedPlatform(platform)}`;
  return `${parent.slice(0, maxLength - hash.length - 1).replace(/-+$/, '')}-${hash}`;
}

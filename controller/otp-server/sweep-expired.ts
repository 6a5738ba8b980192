// Removes stored keys whose time is over and that nobody released: the build's TaskRun was deleted while the controller
// was away, or the key was stored by a provision script that does not say for which build.
import type { Cluster, KubeObject } from '../kubernetes/cluster.ts';
import { ApiError } from '../kubernetes/api-errors.ts';
import { listPages } from '../kubernetes/object-list.ts';
import { identityOf, Projection } from '../kubernetes/projection.ts';
import type { RequestSender } from '../kubernetes/cluster-client.ts';
import type { Instant } from '../model/instant.ts';
import { storedKeyLabel } from '../model/one-time-key.ts';
import { readExpiry } from './stored-key.ts';

export interface SweepOptions {
  readonly cluster: Pick<Cluster, 'delete'>;
  readonly sender: RequestSender;
  readonly namespace: string;
}

export interface Swept {
  /** Stored keys that stay. */
  readonly kept: number;
  readonly removed: number;
}

const pageSize = 500;

/** One whose time of expiry cannot be read is expired. Two replicas at once do no harm. */
export async function sweepExpired({ cluster, sender, namespace }: SweepOptions, now: Instant): Promise<Swept> {
  const scope = { resource: 'secrets', namespace, labelSelector: storedKeyLabel, metadataOnly: true } as const;
  const project = (raw: KubeObject) => ({ ...identityOf(raw), expires: readExpiry(raw) ?? 0 });
  const nothing = { watched: () => undefined };
  const fail = (error: unknown): never => {
    throw error;
  };
  const { objects } = await listPages(scope, sender, new Projection(project, nothing, fail), pageSize, () => undefined);
  const expired = objects.filter(({ expires }) => now >= expires);
  for (const { name, uid } of expired) {
    await cluster.delete('secrets', namespace, name, { uid }).catch((error: unknown) => {
      if (!(error instanceof ApiError) || error.kind !== 'gone') throw error;
    });
  }
  return { kept: objects.length - expired.length, removed: expired.length };
}

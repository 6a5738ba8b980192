// The key that signs lease facts: one per installation, in the operator namespace, made at the first start.
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { ApiError } from '../kubernetes/api-errors.ts';
import type { Cluster, KubeObject } from '../kubernetes/cluster.ts';
import { parseInstant, type Instant } from '../model/instant.ts';
import { asObject, asText } from '../model/json.ts';

export const leaseKeySecret = 'multi-platform-lease-key';
const dataKey = 'key';
const keyBytes = 32;

export interface LeaseKey {
  /** Taken in once: a signature with it costs a fifth of one with bare bytes. */
  readonly secret: KeyObject;
  /** When it was made: what is younger was never given a host by a controller that did not sign. */
  readonly created: Instant;
}

/** Reads the key, or makes it. Two replicas that start at once end with the same one. */
export async function loadLeaseKey(cluster: Cluster, namespace: string): Promise<LeaseKey> {
  const found = await readKey(cluster, namespace);
  if (found !== undefined) return found;
  const body = {
    metadata: { name: leaseKeySecret },
    type: 'Opaque',
    data: { [dataKey]: randomBytes(keyBytes).toString('base64') },
  };
  try {
    return keyOf(await cluster.create('secrets', namespace, body));
  } catch (error) {
    if (!(error instanceof ApiError) || error.kind !== 'exists') throw error;
    return loadLeaseKey(cluster, namespace);
  }
}

async function readKey(cluster: Cluster, namespace: string): Promise<LeaseKey | undefined> {
  try {
    return keyOf(await cluster.read('secrets', namespace, leaseKeySecret));
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'gone') return undefined;
    throw error;
  }
}

function keyOf(secret: KubeObject): LeaseKey {
  const bytes = Buffer.from(asText(asObject(secret['data'])[dataKey]) ?? '', 'base64');
  if (bytes.length < keyBytes) {
    throw new Error(`Secret ${leaseKeySecret}, key '${dataKey}': too short; delete the Secret and a new one is made`);
  }
  return { secret: createSecretKey(bytes), created: parseInstant(asText(secret.metadata.creationTimestamp)) ?? 0 };
}

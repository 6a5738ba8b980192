// Whether an answer shows an object that no longer exists.
import type { KubeObject } from './cluster.ts';

/**
 * The API answers a patch that takes the last finalizer from a deleted object with that object, under its old version,
 * as if it were still there. It is not: tell the cache deletedByUs(), not written().
 */
export function isRemoved(object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers = [] } = object.metadata;
  return deletionTimestamp !== undefined && finalizers.length === 0 && (deletionGracePeriodSeconds ?? 0) === 0;
}

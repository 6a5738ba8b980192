// Which ssh Secrets the operator namespace has: their names. Contents are never read; what a key is worth shows when a
// provision TaskRun uses it.
import type { KubeObject } from '../kubernetes/cluster.ts';

/** A Secret as the cache keeps it. */
export interface SshSecret {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
}

export function readSshSecret({ metadata }: KubeObject): SshSecret {
  const { uid, name, namespace = '', resourceVersion } = metadata;
  return { uid, name, namespace, resourceVersion };
}

// Which ssh Secrets of the operator namespace can be used: their names are kept, never their contents.
import type { KubeObject } from '../kubernetes/cluster.ts';
import { asObject } from '../model/json.ts';
import { sshSecretKeys } from '../model/ssh-secret.ts';

/** A Secret as the cache keeps it. */
export interface SshSecret {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  readonly hasKey: boolean;
}

export function readSshSecret({ metadata, ...rest }: KubeObject): SshSecret {
  const { uid, name, namespace = '', resourceVersion } = metadata;
  const hasKey = asObject(rest['data'])[sshSecretKeys.idRsa] !== undefined;
  return { uid, name, namespace, resourceVersion, hasKey };
}

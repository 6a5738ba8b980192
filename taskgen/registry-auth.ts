// --registry-auth: credentials for a registry that may reach the host, from a Secret that a TaskRun names for this and nothing else.
// The credentials of the pod never do.

import type { GenerateOptions } from './options.ts';
import type { YamlValue } from './yaml-text.ts';

const parameter = 'REGISTRY_AUTH_SECRET';
export const registryAuthMount = { name: 'mp-registry-auth', mountPath: '/mp-registry-auth', readOnly: true };

type Asked = Pick<GenerateOptions, 'registryAuth'>;

export function registryAuthParameters({ registryAuth }: Asked): YamlValue[] {
  if (registryAuth === 'none') return [];
  const description =
    'Secret of type kubernetes.io/dockerconfigjson whose credentials are sent to the build host to pull private images; give them the right to pull only.';
  return [{ name: parameter, type: 'string', description, default: 'multi-platform-registry-auth' }];
}

/** Optional: without the Secret the host works without credentials. */
export function registryAuthVolumes({ registryAuth }: Asked): YamlValue[] {
  if (registryAuth === 'none') return [];
  return [{ name: registryAuthMount.name, secret: { secretName: `$(params.${parameter})`, optional: true } }];
}

export function registryAuthVariables({ registryAuth }: Asked): Record<string, string> {
  if (registryAuth === 'none') return {};
  return {
    MP_REGISTRY_AUTH: registryAuth,
    MP_REGISTRY_AUTH_FILE: `${registryAuthMount.mountPath}/.dockerconfigjson`,
  };
}

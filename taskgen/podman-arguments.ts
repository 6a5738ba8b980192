// The security context of the build step, said as `podman run` arguments, for its container on the host.
// Only what the Task asks for; the host's own defaults stay otherwise.

import { fields, list, text } from './task-model.ts';
import type { Fields } from './task-model.ts';

export function podmanArguments(securityContext: Fields): string[] {
  const capabilities = fields(securityContext['capabilities']);
  const added = list(capabilities['add'], String).map((name) => `--cap-add=${name}`);
  const dropped = list(capabilities['drop'], String).map((name) => `--cap-drop=${name}`);
  const seccomp = fields(securityContext['seccompProfile'])['type'] === 'Unconfined';
  return [
    ...dropped,
    ...added,
    ...(securityContext['privileged'] === true ? ['--privileged'] : []),
    ...userArgument(securityContext),
    ...(securityContext['readOnlyRootFilesystem'] === true ? ['--read-only'] : []),
    ...(securityContext['allowPrivilegeEscalation'] === false ? ['--security-opt=no-new-privileges'] : []),
    ...(securityContext['procMount'] === 'Unmasked' ? ['--security-opt=unmask=ALL'] : []),
    ...(seccomp ? ['--security-opt=seccomp=unconfined'] : []),
  ];
}

function userArgument(securityContext: Fields): string[] {
  const user = text(securityContext['runAsUser']);
  const group = text(securityContext['runAsGroup']);
  if (user === undefined) return [];
  return [group === undefined ? `--user=${user}` : `--user=${user}:${group}`];
}

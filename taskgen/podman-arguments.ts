// The security context of the build step, said as `podman run` arguments, for its container on the host.
// Only what the Task asks for; the host's own defaults stay otherwise.

import type { Finding } from './findings.ts';
import type { StepChoice } from './step-choice.ts';
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

/** `podman run --user` knows no group without a user: with none it takes root, not the user of the image as the kubelet does. */
export function groupFindings({ step, index, name }: StepChoice): Finding[] {
  const group = text(step.securityContext['runAsGroup']);
  if (group === undefined || step.securityContext['runAsUser'] !== undefined) return [];
  const message = `Step "${name}" has the runAsGroup ${group} and no runAsUser; podman cannot set a group alone, so on the host the script runs with the group of its image.`;
  const fix = 'Add the runAsUser that the image has (podman run --rm --entrypoint id IMAGE -u shows it), 0 for root.';
  return [{ code: 'MPT027', at: ['spec', 'steps', index], message, fix }];
}

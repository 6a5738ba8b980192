// The security context of the remote step. It needs no privilege of its own, only the user id that owns the files
// of the build: it reads what earlier steps left and writes what later ones read.

import type { Finding } from './findings.ts';
import type { GenerateOptions } from './options.ts';
import type { StepChoice } from './step-choice.ts';
import type { PlannedMount } from './sync-plan.ts';
import { fields, list } from './task-model.ts';
import type { Fields, Step } from './task-model.ts';
import type { YamlValue } from './yaml-text.ts';

interface WrapperSecurity {
  /** In place of the step's own. */
  readonly replaced?: Record<string, YamlValue>;
  /** Beside the step's own. */
  readonly added: Record<string, number>;
}

type Wanted = Pick<GenerateOptions, 'unprivilegedWrapper' | 'wrapperUser'>;

export function wrapperSecurity(step: Step, template: Fields, options: Wanted): WrapperSecurity {
  const context = step.securityContext;
  const added = addedUser(step, options);
  if (options.unprivilegedWrapper) {
    const user = { ...idOf(context['runAsUser'], 'runAsUser'), ...idOf(context['runAsGroup'], 'runAsGroup') };
    const rights = { privileged: false, allowPrivilegeEscalation: false };
    return { replaced: { ...added, ...user, ...rights, ...inPlaceOf(template) }, added: {} };
  }
  return { added };
}

/**
 * Tekton merges the context with that of stepTemplate key by key, and an empty list is none to it. So what is added there gives way to the one
 * capability that the strictest clusters let a container have, and which is of no use to a user who is not root.
 */
function inPlaceOf(template: Fields): Record<string, YamlValue> {
  const isGiven = list(fields(template['capabilities'])['add'], String).length > 0;
  const isUnconfined = fields(template['seccompProfile'])['type'] === 'Unconfined';
  return {
    capabilities: { ...(isGiven ? { add: ['NET_BIND_SERVICE'] } : {}), drop: ['ALL'] },
    ...(isUnconfined ? { seccompProfile: { type: 'RuntimeDefault' } } : {}),
    ...(template['procMount'] === undefined ? {} : { procMount: 'Default' }),
  };
}

/** The user of the original image is in that image; the runner image would start with one of its own. */
export function userFindings(choice: StepChoice, mounts: readonly PlannedMount[], options: Wanted): Finding[] {
  const { step, index, name } = choice;
  if (step.securityContext['runAsUser'] !== undefined || 'runAsUser' in addedUser(step, options)) return [];
  // Into a scratch volume that nobody wrote before, and into the folders of Tekton, everybody may write.
  const written = mounts
    .filter(({ path }) => !path.startsWith('/tekton/'))
    .filter(({ sync, name: what }) => sync === 'both' || (sync === 'out' && what.startsWith('workspace ')))
    .map((mount) => mount.name);
  if (written.length === 0) return [];
  return [
    {
      code: 'MPT024',
      at: ['spec', 'steps', index],
      message: `Step "${name}" sets no runAsUser and writes ${written.slice(0, 3).join(', ')}: what it wrote is brought back by user 65532 of the runner image, who cannot write into folders of other users.`,
      fix: `${isNonRoot(step) ? 'Say --wrapper-user with the id of the user that its image runs as' : 'Say --wrapper-user 0 when its image runs as root (or that id, when it is another)'}, or set runAsUser in its securityContext or in stepTemplate. Where the platform gives all containers one user, as OpenShift does, say --accept MPT024.`,
    },
  ];
}

/** The kubelet refuses to start such a container as user 0. */
export function isNonRoot({ securityContext }: Step): boolean {
  return securityContext['runAsNonRoot'] === true;
}

/** Who asks for privileges works as root in the original image, unless the Task rules that out. */
function addedUser(step: Step, { unprivilegedWrapper, wrapperUser }: Wanted): Record<string, number> {
  const context = step.securityContext;
  if (context['runAsUser'] !== undefined) return {};
  if (wrapperUser !== undefined) return { runAsUser: wrapperUser };
  if (isNonRoot(step)) return {};
  const capable = list(fields(context['capabilities'])['add'], String).length > 0 || context['privileged'] === true;
  return capable && !unprivilegedWrapper ? { runAsUser: 0 } : {};
}

function idOf(value: unknown, key: string): Record<string, number> {
  return typeof value === 'number' ? { [key]: value } : {};
}

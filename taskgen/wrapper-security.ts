// The security context of the remote step. It needs no privilege of its own, only the user id that owns the files
// of the build: it reads what earlier steps left and writes what later ones read.

import type { GenerateOptions } from './options.ts';
import { fields, list } from './task-model.ts';
import type { Step } from './task-model.ts';

interface WrapperSecurity {
  /** In place of the step's own. */
  readonly replaced?: Record<string, string | number | boolean | { drop: string[] }>;
  /** Beside the step's own. */
  readonly added: Record<string, number>;
}

export function wrapperSecurity(step: Step, options: Pick<GenerateOptions, 'unprivilegedWrapper'>): WrapperSecurity {
  const context = step.securityContext;
  const user = runAs(context['runAsUser'], 'runAsUser');
  if (options.unprivilegedWrapper) {
    const group = runAs(context['runAsGroup'], 'runAsGroup');
    const rights = { privileged: false, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
    return { replaced: { ...user, ...group, ...rights }, added: {} };
  }
  // Who asks for privileges works as root in the original image; the runner image would start with a user of its own.
  const capable = list(fields(context['capabilities'])['add'], String).length > 0 || context['privileged'] === true;
  return { added: capable && context['runAsUser'] === undefined ? { runAsUser: 0 } : {} };
}

function runAs(value: unknown, key: string): Record<string, number> {
  return typeof value === 'number' ? { [key]: value } : {};
}

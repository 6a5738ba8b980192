// Which environment variables of the build step are set in its container on the host too.
// Names only: values are read where the step runs and never pass a command line.

import type { Finding } from './findings.ts';
import { matchesGlob } from './options.ts';
import type { GenerateOptions } from './options.ts';
import type { EnvironmentVariable, Step } from './task-model.ts';

export interface EnvironmentPlan {
  readonly names: readonly string[];
  /** The step takes variables from ConfigMaps: what they hold is known only where it runs. */
  readonly forwardRest: boolean;
  readonly findings: readonly Finding[];
}

/** Variables that describe the pod; on the host they would be wrong. */
const neverForwarded = ['KUBERNETES_*', '*_SERVICE_HOST', '*_SERVICE_PORT', 'HOSTNAME', 'TEKTON_*', 'MP_*', 'SSH_*'];

export function planEnvironment(step: Step, stepIndex: number, options: GenerateOptions): EnvironmentPlan {
  const allowed = (name: string) => options.envAllow.some((glob) => matchesGlob(name, glob));
  const denied = (name: string) => options.envDeny.some((glob) => matchesGlob(name, glob));
  const findings: Finding[] = [];
  const forwarded = step.env.filter((variable) => {
    if (denied(variable.name)) return false;
    if (allowed(variable.name)) return true;
    if (neverForwarded.some((glob) => matchesGlob(variable.name, glob))) return false;
    if (variable.from !== 'secretKeyRef') return true;
    findings.push(secretVariable(variable, stepIndex));
    return false;
  });
  const secretSources = step.envFrom.filter((source) => source['secretRef'] !== undefined);
  const consent = options.envAllow.includes('*');
  if (secretSources.length > 0 && !consent) findings.push(secretSource(stepIndex));
  const forwardRest = step.envFrom.length > 0 && (secretSources.length === 0 || consent);
  return { names: forwarded.map(({ name }) => name), forwardRest, findings };
}

function secretVariable({ name }: EnvironmentVariable, stepIndex: number): Finding {
  return {
    code: 'MPT114',
    at: ['spec', 'steps', stepIndex, 'env'],
    message: `Variable "${name}" comes from a Secret, so it stays in the cluster and is not set on the host.`,
    fix: `If the build needs it, say --env-allow ${name}; otherwise --env-deny ${name}.`,
  };
}

function secretSource(stepIndex: number): Finding {
  return {
    code: 'MPT114',
    at: ['spec', 'steps', stepIndex, 'envFrom'],
    message:
      'envFrom names a Secret, so none of its variables (nor those of other envFrom entries) is set on the host.',
    fix: "If the build needs them, say --env-allow '*', or list the variables in env and allow them by name.",
  };
}

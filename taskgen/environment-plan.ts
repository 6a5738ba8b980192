// Which environment variables of the build step are set in its container on the host too.
// Names only: values are read where the step runs and never pass a command line.

import type { Finding, FindingCode, Path } from './findings.ts';
import { matchesGlob } from './options.ts';
import type { GenerateOptions } from './options.ts';
import { list } from './task-model.ts';
import type { EnvironmentVariable, Step } from './task-model.ts';

export interface PlannedVariable {
  readonly name: string;
  readonly isForwarded: boolean;
  readonly why: string;
}

export interface EnvironmentPlan {
  readonly variables: readonly PlannedVariable[];
  /** The step takes variables from ConfigMaps: what they hold is known only where it runs. */
  readonly forwardRest: boolean;
  readonly findings: readonly Finding[];
}

/** Variables that describe the pod; on the host they would be wrong. */
const neverForwarded = ['KUBERNETES_*', '*_SERVICE_HOST', '*_SERVICE_PORT', 'HOSTNAME', 'TEKTON_*', 'SSH_*'];

export function planEnvironment(step: Step, stepIndex: number, options: GenerateOptions): EnvironmentPlan {
  const variables = step.env.map((variable) => planVariable(variable, options));
  const own = list(step.own['env']).map((item) => item['name']);
  const place = ({ name }: PlannedVariable): Path => ['spec', 'steps', stepIndex, 'env', own.indexOf(name)];
  const findings = variables.flatMap((variable) => unsetVariable(variable, place(variable)));
  const secretSources = step.envFrom.filter((source) => source['secretRef'] !== undefined);
  const consent = options.envAllow.includes('*');
  if (secretSources.length > 0 && !consent) findings.push(secretSource(stepIndex));
  const forwardRest = step.envFrom.length > 0 && (secretSources.length === 0 || consent);
  return { variables, forwardRest, findings };
}

const fromSecret = 'its value is in a Secret (--env-allow sends it)';
const ofPod = 'it describes the pod';

/** Why a variable that the step asks for is not set, and what to say then. */
const unset: Readonly<Record<string, { readonly code: FindingCode; readonly says: string }>> = {
  [fromSecret]: { code: 'MPT114', says: 'comes from a Secret, so it stays in the cluster and is not set on the host' },
  [ofPod]: { code: 'MPT117', says: 'has a name of those that describe the pod, so it is not set on the host' },
};

function planVariable({ name, from }: EnvironmentVariable, options: GenerateOptions): PlannedVariable {
  const matches = (globs: readonly string[]) => globs.some((glob) => matchesGlob(name, glob));
  const decided = (isForwarded: boolean, why: string) => ({ name, isForwarded, why });
  if (matches(options.envDeny)) return decided(false, '--env-deny');
  if (matches(options.envAllow)) return decided(true, '--env-allow');
  if (matches(neverForwarded)) return decided(false, ofPod);
  return from === 'secretKeyRef' ? decided(false, fromSecret) : decided(true, 'the script may read it');
}

function unsetVariable({ name, why }: PlannedVariable, at: Path): Finding[] {
  const found = unset[why];
  if (found === undefined) return [];
  const fix = `If the build needs it, say --env-allow ${name}; otherwise --env-deny ${name}.`;
  return [{ code: found.code, at, message: `Variable "${name}" ${found.says}.`, fix }];
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

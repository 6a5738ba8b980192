// Whether the Task can have the parameter PLATFORM, which is how a TaskRun says where it wants to build.

import { parsePlatform } from '../controller/model/platform.ts';
import type { Finding } from './findings.ts';
import type { GenerateOptions } from './options.ts';
import type { Task } from './task-model.ts';

export const platformParameter = 'PLATFORM';

export function parameterFindings(task: Task, options: Pick<GenerateOptions, 'platformDefault'>): Finding[] {
  const findings: Finding[] = [];
  for (const [index, parameter] of task.parameters.entries()) {
    if (parameter.name.toUpperCase() !== platformParameter) continue;
    const at = ['spec', 'params', index];
    const found = (message: string, fix: string) => findings.push({ code: 'MPT006', at, message, fix });
    if (parameter.name !== platformParameter) {
      found(
        `Parameter "${parameter.name}" differs from PLATFORM only by case; a TaskRun cannot set both.`,
        'Rename it.',
      );
    } else if (parameter.type !== 'string') {
      found(`Parameter PLATFORM is of type ${parameter.type}; it must be a string.`, 'Rename it, or make it a string.');
    } else if (parameter.values.length > 0 && !parameter.values.some(isPlatform)) {
      const values = parameter.values.map((value) => JSON.stringify(value)).join(', ');
      found(
        `Parameter PLATFORM exists and means something else: no controller gives a host for ${values}.`,
        'Rename it, or write its values as linux/arm64.',
      );
    } else if (options.platformDefault !== undefined && parameter.default !== options.platformDefault) {
      const has = parameter.default === undefined ? 'no default' : `the default ${JSON.stringify(parameter.default)}`;
      found(
        `Parameter PLATFORM exists and has ${has}.`,
        'Leave out --platform-default, or change the default in the source.',
      );
    }
  }
  const given = task.parameters.find((it) => it.name === platformParameter)?.default ?? options.platformDefault;
  return given === undefined ? findings : [...findings, defaultFinding(given)];
}

/** A TaskRun may always say something else. */
function defaultFinding(given: unknown): Finding {
  const isNone = typeof given === 'string' && !isPlatform(given);
  return {
    code: 'MPT031',
    at: ['spec', 'params'],
    message: isNone
      ? `PLATFORM has the default ${JSON.stringify(given)}, for which no controller gives a host: a build without PLATFORM is refused.`
      : 'PLATFORM has a default. Controllers other than ours look at the parameters of the TaskRun only; with them a build without PLATFORM waits until it times out.',
    fix: 'Always set PLATFORM in TaskRuns and Pipelines, or leave the default out.',
  };
}

function isPlatform(value: string): boolean {
  return value.includes('$(') || parsePlatform(value) !== undefined;
}

// Whether the Task can have the parameter PLATFORM, which is how a TaskRun says where it wants to build.

import { parsePlatform } from '../controller/model/platform.ts';
import type { Finding } from './findings.ts';
import type { GenerateOptions } from './options.ts';
import type { Parameter, Task } from './task-model.ts';

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
    } else if (neverPlatforms(parameter).length > 0) {
      found(
        `Parameter PLATFORM exists and means something else: no controller gives a host for ${neverPlatforms(parameter).join(', ')}.`,
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
  const hasDefault = task.parameters.some((it) => it.name === platformParameter && it.default !== undefined);
  if (hasDefault || options.platformDefault !== undefined) {
    findings.push({
      code: 'MPT031',
      at: ['spec', 'params'],
      message:
        'PLATFORM has a default. Controllers other than ours look at the parameters of the TaskRun only; with them a build without PLATFORM waits until it times out.',
      fix: 'Always set PLATFORM in TaskRuns and Pipelines, or leave the default out.',
    });
  }
  return findings;
}

/** Its default, and all of its values where none of them is a platform. */
function neverPlatforms({ default: given, values }: Parameter): string[] {
  const isPlatform = (value: string) => value.includes('$(') || parsePlatform(value) !== undefined;
  const wrong = typeof given === 'string' && given !== '' && !isPlatform(given) ? [given] : [];
  return [...new Set([...wrong, ...(values.some(isPlatform) ? [] : values)])].map((value) => JSON.stringify(value));
}

// Values of flags that end up in a Task as they are: what cannot be right there is refused where it was typed.

import { InvalidArgumentError } from 'commander';
import { parsePlatform } from '../controller/model/platform.ts';
import { secondsOf } from './durations.ts';
import { imageParameters } from './image-reference.ts';
import { amountOf } from './wrapper-resources.ts';

export function readResources(value: string): { cpu: string; memory: string } {
  const [, cpu, memory] = /^(\d[\w.]*)\/(\d[\w.]*)$/.exec(value) ?? [];
  if (cpu === undefined || memory === undefined || ![cpu, memory].map(amountOf).every(Number.isFinite))
    throw new InvalidArgumentError('Write CPU/MEMORY, for example 250m/256Mi.');
  return { cpu, memory };
}

export function readNumber(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('Write a whole number.');
  return Number(value);
}

export function readDuration(value: string): number {
  const seconds = secondsOf(value);
  if (seconds === undefined || seconds < 0) throw new InvalidArgumentError('Write a time such as 60s, 2m or 1h30m.');
  return Math.ceil(seconds);
}

/** As the controller reads them; platforms such as localhost are the cluster's own. */
export function readPlatform(value: string): string {
  if (parsePlatform(value) === undefined)
    throw new InvalidArgumentError('Write a platform such as linux/arm64, or localhost.');
  return value;
}

/** References of Tekton may stand in it. */
export function readReference(value: string): string {
  if (!/^[\w$][^\s]*$/.test(value)) throw new InvalidArgumentError('Write the name of an image.');
  return value;
}

export function readImageParameter(value: string): string {
  const isText = value.includes('$(');
  const isName = isText ? imageParameters(value).length > 0 : /^[A-Za-z_][\w.-]*(?:\[\d+\])?$/.test(value);
  if (!isName)
    throw new InvalidArgumentError(
      "Write the name of a parameter, or a text with some: '$(params.url):$(params.tag)'.",
    );
  return value;
}

/** Those of the generated Task itself begin with mp-. */
export function readVolumeName(value: string): string {
  const isLabel = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(value);
  if (!isLabel || /^tekton-internal-|^mp-(?!ssh$)/.test(value))
    throw new InvalidArgumentError(
      'Write lower case letters, digits and dashes, at most 63, and neither mp-… nor tekton-internal-… in front.',
    );
  return value;
}

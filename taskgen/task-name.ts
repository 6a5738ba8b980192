// The name of the generated Task. It differs from the source's, and both Tasks can live in one namespace.

import type { Finding } from './findings.ts';
import type { GenerateOptions } from './options.ts';

const dns1123 = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** `buildah-oci-ta` becomes `buildah-remote-oci-ta`: variants of one Task sort together; any other name gets the suffix. */
export function remoteName(source: string, options: Pick<GenerateOptions, 'name' | 'suffix'>): string {
  if (options.name !== undefined) return options.name;
  const isBuildah = /^buildah(?:-|$)/.test(source);
  return isBuildah ? source.replace('buildah', `buildah${options.suffix}`) : source + options.suffix;
}

export function nameFindings(source: string | undefined, name: string): Finding[] {
  const at = ['metadata', 'name'];
  const found = (message: string, fix: string): Finding[] => [{ code: 'MPT005', at, message, fix }];
  if (source === undefined || source === '') return found('The Task has no metadata.name.', 'Give it one.');
  if (name === source)
    return found(`The new name "${name}" is the name of the source.`, 'Choose another --name or --suffix.');
  if (name.length > 63) {
    return found(`The new name "${name}" has ${name.length} characters, 63 are allowed.`, 'Choose a shorter --name.');
  }
  if (!dns1123.test(name)) {
    return found(`The new name "${name}" is no DNS name.`, 'Use small letters, digits, "-" and "." in --name.');
  }
  return [];
}

// What the remote script of this version can do beyond its basics, as its own text says, and what to say when it is asked for more.

import type { Finding } from './findings.ts';
import type { GenerateOptions } from './options.ts';

/** The words of the line `readonly MP_KNOWS='…'`; a text without it is one of the first version. */
export function featuresOf(remoteText: string): ReadonlySet<string> {
  const [, words = 'oci none'] = /^readonly MP_KNOWS='([^']*)'$/m.exec(remoteText) ?? [];
  return new Set(words.split(' '));
}

export function featureFindings(
  features: ReadonlySet<string>,
  { transfer, registryAuth, detached, timeoutMargin, appendPlatform }: GenerateOptions,
): Finding[] {
  const asked: readonly (readonly [feature: string, flag: string, isAsked: boolean])[] = [
    [transfer, `--transfer ${transfer}`, true],
    ['registry-auth', `--registry-auth ${registryAuth}`, registryAuth !== 'none'],
    ['append-platform', '--append-platform', appendPlatform],
    ['detached', '--detached', detached],
    ['timeout', '--timeout-margin', timeoutMargin !== undefined],
  ];
  return asked
    .filter(([feature, , isAsked]) => isAsked && !features.has(feature))
    .map(([, flag]) => ({
      code: 'MPT035',
      at: ['spec'],
      message: `${flag}: the remote script of this version cannot do that yet.`,
      fix: 'Leave the flag out.',
    }));
}

// Flags that need something of the remote script are refused as long as it cannot do that.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { defaultOptions } from '../../taskgen/options.ts';
import type { GenerateOptions } from '../../taskgen/options.ts';
import { featureFindings, featuresOf } from '../../taskgen/script-features.ts';
import { remoteBuildText } from '../../taskgen/remote-build-text.ts';

const refused = (knows: string, options: Partial<GenerateOptions>) =>
  featureFindings(featuresOf(`#!/bin/bash\nreadonly MP_KNOWS='${knows}'\n`), { ...defaultOptions, ...options }).map(
    ({ code, message }) => `${code} ${message.split(':')[0]}`,
  );

describe('what the remote script can do', () => {
  it('is read from its text, and is enough for what is asked without flags', () => {
    const folder = join(import.meta.dirname, '../../taskgen/remote-build');
    expect(readdirSync(folder)).not.to.deep.equal([]);
    expect(featureFindings(featuresOf(remoteBuildText(folder)), defaultOptions)).to.deep.equal([]);
    expect(readFileSync(join(folder, '10-settings.sh'), 'utf8')).to.match(/^readonly MP_KNOWS='oci none[a-z -]*'$/m);
  });

  const asked: readonly (readonly [string, Partial<GenerateOptions>])[] = [
    ['--transfer stream', { transfer: 'stream' }],
    ['--registry-auth pull', { registryAuth: 'pull' }],
    ['--append-platform', { appendPlatform: true }],
    ['--detached', { detached: true }],
    ['--timeout-margin', { timeoutMargin: 30 }],
  ];
  for (const [flag, options] of asked) {
    it(`decides about ${flag}`, () => {
      expect(refused('oci none', options)).to.deep.equal([`MPT035 ${flag}`]);
      expect(refused('oci none stream registry-auth append-platform detached timeout', options)).to.deep.equal([]);
    });
  }
});

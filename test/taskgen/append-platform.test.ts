// The lines that put the platform into the tag, in real shells and with the settings that scripts use.

import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { prefixedScript } from '../../taskgen/append-platform.ts';
import { defaultOptions } from '../../taskgen/options.ts';
import { readTask } from '../../taskgen/task-model.ts';

const options = { ...defaultOptions, appendPlatform: true };

function stepWith(script: string) {
  const env = [{ name: 'IMAGE', value: '$(params.IMAGE)' }];
  const [step] = readTask({ spec: { steps: [{ name: 'build', image: 'alpine', env, script }] } }).steps;
  if (step === undefined) throw new Error('no step');
  return step;
}

function imageSeen(shell: string, image: string, platform: string, append: string): string {
  const script = '#!/bin/sh\nset -eu\nprintf %s "$IMAGE"; sh -c \'printf "|%s" "$IMAGE"\'\n';
  const env = { PATH: process.env['PATH'], IMAGE: image, MP_PLATFORM: platform, MP_APPEND_PLATFORM: append };
  // Without a terminal bash takes itself for one that was called over the network, and reads settings.
  const plain = shell === 'bash' ? ['--norc'] : [];
  const { stdout, stderr } = spawnSync(shell, [...plain, '-c', prefixedScript(stepWith(script), script, options)], {
    encoding: 'utf8',
    env,
  });
  expect(stderr).to.equal('');
  const [own, child] = stdout.split('|');
  expect(child).to.equal(own);
  return own ?? '';
}

describe('the platform in the tag', function () {
  this.timeout(60_000);
  for (const shell of ['dash', 'bash']) {
    const cases = [
      { image: 'registry:5000/team/app:1.0', platform: 'linux/arm64', seen: 'registry:5000/team/app:1.0-linux-arm64' },
      { image: 'registry:5000/team/app', platform: 'linux/arm64', seen: 'registry:5000/team/app:linux-arm64' },
      { image: 'app:1', platform: 'linux-d160-m4.xlarge/amd64', seen: 'app:1-linux-d160-m4-xlarge-amd64' },
      { image: 'app:1', platform: 'localhost', seen: 'app:1-localhost' },
    ];
    for (const { image, platform, seen } of cases) {
      it(`is ${seen} for ${image} on ${platform} (${shell})`, () =>
        expect(imageSeen(shell, image, platform, 'true')).to.equal(seen));
    }

    it(`leaves any name alone unless it is asked for (${shell})`, () => {
      const names = fc.string().map((text) => text.replace(/[\0|\n]/g, ''));
      const check = (image: string) => {
        expect(imageSeen(shell, image, 'linux/arm64', 'false')).to.equal(image);
      };
      fc.assert(fc.property(names, check), { numRuns: 20 });
    });
  }

  it('comes after the shebang, and into no script of another language', () => {
    expect(prefixedScript(stepWith('#!/bin/bash\nx'), '#!/bin/bash\nx', options)).to.match(/^#!\/bin\/bash\nif \[/);
    const python = '#!/usr/bin/env python3\nprint()\n';
    expect(prefixedScript(stepWith(python), python, options)).to.equal(python);
    expect(prefixedScript(stepWith('make'), 'make', defaultOptions)).to.equal('make');
  });
});

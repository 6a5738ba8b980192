// A parameter PLATFORM of the source that can never name a platform.

import { expect } from 'chai';
import { made } from './small-task.ts';

const findings = (parameter: string) =>
  made(`params: [${parameter}]\nsteps: [{name: build, image: golang, script: make}]`).findings.join('');

describe('a parameter PLATFORM', () => {
  for (const [parameter, values] of [
    ['{name: PLATFORM, default: amd64}', '"amd64"'],
    ['{name: PLATFORM, enum: [amd64, arm64]}', '"amd64", "arm64"'],
    ['{name: PLATFORM, default: linux/arm/v7}', '"linux/arm/v7"'],
  ] as const)
    it(`is refused as ${parameter}`, () =>
      expect(findings(parameter)).to.match(new RegExp(`error MPT006: .*no controller gives a host for ${values}\\.`)));

  for (const parameter of [
    '{name: PLATFORM}',
    '{name: PLATFORM, default: linux/amd64}',
    '{name: PLATFORM, default: local}',
    '{name: PLATFORM, default: ""}',
    '{name: PLATFORM, enum: [linux/amd64, native]}',
  ])
    it(`is fine as ${parameter}`, () => expect(findings(parameter)).not.to.include('MPT006'));
});

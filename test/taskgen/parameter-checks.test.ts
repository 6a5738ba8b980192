// A parameter PLATFORM of the source that can hardly name a platform.

import { expect } from 'chai';
import { made } from './small-task.ts';

const findings = (parameter: string) =>
  made(`params: [${parameter}]\nsteps: [{name: build, image: golang, script: make}]`).findings.join('');

describe('a parameter PLATFORM', () => {
  it('that may be no platform at all is refused', () =>
    expect(findings('{name: PLATFORM, enum: [amd64, arm64]}')).to.match(
      /error MPT006: .*no controller gives a host for "amd64", "arm64"\./,
    ));

  for (const given of ['amd64', 'linux/arm/v7'])
    it(`with the default ${given} has to be said in TaskRuns`, () =>
      expect(findings(`{name: PLATFORM, default: ${given}}`))
        .to.match(/warning MPT031: .* for which no controller gives a host/)
        .and.not.to.include('MPT006'));

  for (const parameter of [
    '{name: PLATFORM}',
    '{name: PLATFORM, default: linux/amd64}',
    '{name: PLATFORM, default: local}',
    '{name: PLATFORM, default: ""}',
    '{name: PLATFORM, enum: [linux/amd64, native]}',
  ])
    it(`is fine as ${parameter}`, () => expect(findings(parameter)).not.to.include('MPT006'));
});

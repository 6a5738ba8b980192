// Parameters that --registry-auth adds, in a Task that has one of that name.

import { expect } from 'chai';
import { made } from './small-task.ts';

const task = (name: string) =>
  `params: [{name: IMAGE}, {name: ${name}, default: mine}]\nsteps: [{name: build, image: buildah, script: 'buildah bud -t $(params.IMAGE) .'}]`;

describe('a parameter of the Task that --registry-auth adds', () => {
  for (const [name, which] of [
    ['REGISTRY_AUTH_SECRET', 'pull'],
    ['registry_auth_secret', 'both'],
    ['REGISTRY_PUSH_SECRET', 'push'],
  ] as const)
    it(`${name} is refused with ${which}`, () => {
      const findings = made(task(name), ['--registry-auth', which]).findings.join('');
      expect(findings).to.include(`error MPT008: Parameter "${name}" exists already`);
    });

  it('is nobody else’s affair', () => {
    expect(made(task('REGISTRY_AUTH_SECRET')).findings.join('')).not.to.include('MPT008');
    expect(made(task('REGISTRY_PUSH_SECRET'), ['--registry-auth', 'pull']).findings.join('')).not.to.include('MPT008');
  });
});

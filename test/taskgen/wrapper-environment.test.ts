// Variables that would keep the step from connecting: it has them under other names, and the container on the host under their own.

import { expect } from 'chai';
import { list } from '../../taskgen/task-model.ts';
import { made } from './small-task.ts';

const build = (env: string, more = '', flags: readonly string[] = []) =>
  made(
    `steps:\n  - name: build\n    image: nix\n    script: make\n    env:\n${env.trim().replaceAll(/^/gm, '      ')}\n${more}`,
    flags,
  );

/** Names in the order of a strategic merge: of two that the template has the order is its own, whatever else is new comes first. */
function asTektonMerges(template: readonly string[], own: readonly string[]): string[] {
  const left = template.filter((name) => !own.includes(name));
  const merged = own.flatMap((name) => {
    const place = template.indexOf(name);
    const before = place < 0 ? [] : left.filter((it) => template.indexOf(it) < place);
    left.splice(0, before.length);
    return [...before, name];
  });
  return [...merged, ...left];
}

const nix =
  '- name: PATH\n  value: /nix/bin:/bin\n- {name: LD_PRELOAD, value: /lib/fake.so}\n- {name: PYTHONPATH, value: src}';

describe('a variable that governs the shell', () => {
  it('is that of the container on the host only', () => {
    const { variables } = build(nix);
    expect(variables).to.include({ MP_AS_PATH: '/nix/bin:/bin', MP_AS_LD_PRELOAD: '/lib/fake.so', PYTHONPATH: 'src' });
    expect(variables).not.to.have.any.keys('PATH', 'LD_PRELOAD');
    expect(variables['MP_ENV']).to.equal('PYTHONPATH');
  });

  it('has its own name in the cluster, where the step builds in its own image', () => {
    const { task } = build(nix);
    const names = task.steps[1]?.env.map(({ name }) => name);
    expect(names).to.include.members(['PATH', 'LD_PRELOAD']).and.not.to.include('MP_OF_PATH');
  });

  it('is found by those that are made of it', () => {
    const { variables } = build('- {name: PATH, value: /nix/bin}\n- {name: MORE, value: "$(PATH):/more"}');
    expect(variables['MORE']).to.equal('$(MP_AS_PATH):/more');
  });

  it('of stepTemplate is given the value that the runner image has', () => {
    const { variables } = made(`stepTemplate: {env: [{name: PATH, value: /nix/bin}]}
steps: [{name: build, image: nix, script: make}]`);
    expect(variables['PATH']).to.match(/^\/usr\/local\/sbin:/);
    expect(variables['MP_AS_PATH']).to.equal('/nix/bin');
  });

  it('of stepTemplate comes after those that it is made of, when Tekton has merged the two', () => {
    const { task } = made(`stepTemplate: {env: [{name: TOOLS, value: /opt}, {name: PATH, value: "$(TOOLS)/bin:/bin"}]}
steps: [{name: build, image: nix, script: make, env: [{name: OTHER, value: a}]}]`);
    const [step] = task.steps;
    const own = list(step?.own['env']).map(({ name }) => String(name));
    const merged = asTektonMerges(['TOOLS', 'PATH'], own);
    expect(merged.indexOf('TOOLS')).to.be.below(merged.indexOf('MP_AS_PATH'));
    expect(step?.env.find(({ name }) => name === 'MP_AS_PATH')?.value).to.equal('$(TOOLS)/bin:/bin');
  });

  it('is not set on the host when --env-deny says so', () => {
    const { variables } = build(nix, '', ['--env-deny', 'LD_*']);
    expect(variables).to.include({ MP_AS_PATH: '/nix/bin:/bin', MP_OF_LD_PRELOAD: '/lib/fake.so' });
  });

  it('stays where the image does', () => {
    expect(build(nix, '', ['--runner-image', 'same']).variables['PATH']).to.equal('/nix/bin:/bin');
  });

  it('comes from elsewhere, or is not there, under that name', () => {
    const { variables } = build(
      '- name: LD_PRELOAD\n  valueFrom: {configMapKeyRef: {name: a, key: b, optional: true}}',
    );
    expect(variables).to.have.property('MP_AS_LD_PRELOAD');
    expect(variables).not.to.have.property('LD_PRELOAD');
  });
});

// What a script on the host is told of a workspace that stays in the cluster.

import { expect } from 'chai';
import { made } from './small-task.ts';

const task = `workspaces: [{name: netrc, optional: true}, {name: cache, optional: true}]
steps:
  - name: build
    image: alpine
    env:
      - {name: HAS_NETRC, value: $(workspaces.netrc.bound)}
      - {name: FLAG, value: "--netrc=$(workspaces.netrc.bound)"}
      - {name: HAS_CACHE, value: $(workspaces.cache.bound)}
    script: |
      if [ "$(workspaces.netrc.bound)" = true ]; then cp "$(workspaces['netrc'].path)/.netrc" ~; fi
      if $(workspaces["netrc"].bound) || $(workspaces.cache.bound); then make; fi`;

describe('a workspace that stays in the cluster', () => {
  it('is not bound to the environment of the step on the host; the script runs in the cluster, too', () => {
    const { variables, task: remote, findings } = made(task);
    expect(variables).to.include({
      HAS_NETRC: 'false',
      FLAG: '--netrc=false',
      HAS_CACHE: '$(workspaces.cache.bound)',
    });
    const [build, local] = remote.steps;
    expect(build?.script).to.include('"$(workspaces.netrc.bound)" = true');
    expect(findings.join('')).to.match(/^task\.yaml:15:15: warning MPT119: .*\$\(workspaces\.netrc\.bound\)/m);
    expect(local?.env.find(({ name }) => name === 'HAS_NETRC')?.value).to.equal('$(workspaces.netrc.bound)');
  });

  it('is not bound to a script that runs on the host only', () => {
    const { task: remote, findings } = made(task, ['--local', 'off', '--transfer', 'none']);
    expect(remote.steps[0]?.script)
      .to.include('if [ "false" = true ]; then cp')
      .and.to.include('if false || $(workspaces.cache.bound)');
    expect(findings.join('')).not.to.include('MPT119');
  });

  it('is bound when it is sent', () => {
    const { variables, task: remote, findings } = made(task, ['--sync', 'netrc=in']);
    expect(findings.join('')).not.to.include('MPT119');
    expect(variables['HAS_NETRC']).to.equal('$(workspaces.netrc.bound)');
    expect(remote.steps[0]?.script).to.include('"$(workspaces.netrc.bound)" = true');
  });

  it('is not bound to a variable that is made of one with another name on the host', () => {
    const { variables } = made(`workspaces: [{name: netrc, optional: true}]
stepTemplate: {env: [{name: ENV, value: "/env-$(workspaces.netrc.bound)"}]}
steps:
  - name: build
    image: alpine
    script: make
    env: [{name: PATH, value: /nix/bin}, {name: MORE, value: "$(PATH):$(workspaces.netrc.bound)"}]`);
    expect(variables).to.include({ MORE: '$(MP_AS_PATH):false', ENV: '', MP_AS_ENV: '/env-false' });
  });

  describe('is not bound to', () => {
    const workspaces = 'workspaces: [{name: netrc, optional: true}]';
    const words = (spec: string, flags: readonly string[] = []) =>
      made(`${workspaces}\n${spec}`, flags).task.steps.map(({ args }) => args);

    it('the arguments of the step on the host', () => {
      const spec = `steps:
  - name: build
    image: alpine
    script: make "$@"
    args: ["--netrc=$(workspaces.netrc.bound)", all]`;
      expect(words(spec)).to.deep.equal([
        ['--netrc=false', 'all'],
        ['--netrc=$(workspaces.netrc.bound)', 'all'],
      ]);
      const template = 'stepTemplate: {args: ["$(workspaces.netrc.bound)"]}';
      expect(words(`${template}\nsteps: [{name: build, image: alpine, script: make}]`)).to.deep.equal([
        ['false'],
        ['$(workspaces.netrc.bound)'],
      ]);
    });

    it('a wrapped command there', () => {
      const spec = (more: string) =>
        `steps:\n  - name: build\n    image: alpine\n    command: [make, "$(workspaces.netrc.bound)"]\n${more}`;
      expect(words(spec(''), ['--wrap-command'])).to.deep.equal([
        ['make', 'false'],
        ['make', '$(workspaces.netrc.bound)'],
      ]);
      expect(words(spec('    args: [all]'), ['--wrap-command'])[0]).to.deep.equal(['make', 'false', 'all']);
    });
  });

  describe('with one step for the host and the cluster', () => {
    const args = '    args: ["$(workspaces.netrc.bound)"]';
    const same = ['--runner-image', 'same'];

    it('is bound, since the build in the cluster has the same variables and arguments, and a finding says so', () => {
      const { variables, findings, task: remote } = made(`${task}\n${args}`, same);
      expect(variables['HAS_NETRC']).to.equal('$(workspaces.netrc.bound)');
      expect(remote.steps[0]?.args).to.deep.equal(['$(workspaces.netrc.bound)']);
      for (const label of ['The script', 'The environment', 'An argument'])
        expect(findings.join('')).to.match(new RegExp(`MPT119: ${label} asks .*\\n.*--local extra-step`));
    });

    it('is bound where it pushes in the cluster', () => {
      const pushing = `params: [{name: IMAGE}]
workspaces: [{name: netrc, optional: true}]
steps:
  - name: build
    image: buildah
    env: [{name: HAS_NETRC, value: $(workspaces.netrc.bound)}, {name: IMAGE, value: $(params.IMAGE)}]
    script: buildah bud -t "$IMAGE" . && buildah push "$IMAGE"`;
      const { variables, findings } = made(pushing, [...same, '--defer-push']);
      expect(variables['HAS_NETRC']).to.equal('$(workspaces.netrc.bound)');
      expect(findings.join('')).to.include('MPT119: The environment');
    });

    it('is not bound where nothing is built in the cluster, or in another step', () => {
      for (const local of [['off', '--transfer', 'none'], ['extra-step']]) {
        const { variables, findings } = made(`${task}\n${args}`, [...same, '--local', ...local]);
        expect(variables['HAS_NETRC']).to.equal('false');
        expect(findings.join('')).not.to.include('MPT119: The environment');
      }
    });
  });
});

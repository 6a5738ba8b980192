// Workspaces that are mounted where the generated step has mounts of its own.

import { expect } from 'chai';
import { made } from './small-task.ts';

const declared = (path: string) => `workspaces: [{name: files, mountPath: ${path}}]
steps: [{name: build, image: alpine, script: make}]`;
const claimed = (path: string) => `workspaces: [{name: files}]
steps: [{name: build, image: alpine, script: make, workspaces: [{name: files, mountPath: ${path}}]}]`;

describe('a workspace in the way of the generated step', () => {
  for (const [path, code] of [
    ['/ssh', 'MPT007'],
    ['/ssh/', 'MPT007'],
    ['/mp-shared', 'MPT113'],
    ['/mp-pod-info', 'MPT113'],
  ] as const) {
    it(`declared at ${path} is refused`, () =>
      expect(made(declared(path)).findings.join('')).to.match(
        new RegExp(`^task\\.yaml:6:\\d+: error ${code}: Workspace "files" is mounted`, 'm'),
      ));
    it(`claimed at ${path} is refused`, () =>
      expect(made(claimed(path)).findings.join('')).to.match(
        new RegExp(`^task\\.yaml:7:\\d+: error ${code}: Workspace "files" is mounted`, 'm'),
      ));
  }

  it('is fine where the step does not see it, or sees it elsewhere', () => {
    const other = `workspaces: [{name: files, mountPath: /ssh}]
steps:
  - {name: build, image: alpine, script: make}
  - {name: other, image: alpine, script: make, workspaces: [{name: files}]}`;
    expect(made(other).findings.join('')).not.to.include('MPT007');
    const elsewhere = declared('/ssh').replace(
      'script: make',
      'script: make, workspaces: [{name: files, mountPath: /f}]',
    );
    expect(made(elsewhere).findings.join('')).not.to.include('MPT007');
  });
});

describe('a volume of the step', () => {
  const mounted = (path: string, more: string, steps = '') =>
    made(`workspaces: [{name: source, mountPath: /src}]
volumes: [{name: cache, emptyDir: {}}]
steps:${steps}
  - {name: build, image: alpine, script: make, volumeMounts: [{name: cache, mountPath: ${path}}]${more}}`).findings.join(
      '',
    );
  const taken = 'a workspace is there already';

  for (const [path, more] of [
    ['/src', ''],
    ['$(workspaces.source.path)/', ''],
    ['/other', ', workspaces: [{name: source, mountPath: /other/}]'],
  ] as const)
    it(`is refused at ${path}${more}, where a workspace is`, () => expect(mounted(path, more)).to.include(taken));

  it('may be where a workspace would be that is elsewhere, or that only others see', () => {
    expect(mounted('/workspace/source', '')).not.to.include(taken);
    expect(mounted('/src', ', workspaces: [{name: source, mountPath: /other}]')).not.to.include(taken);
    const other = '\n  - {name: other, image: alpine, script: make, workspaces: [{name: source}]}';
    expect(mounted('/src', '', other)).not.to.include(taken);
  });
});

describe('a file with arguments of podman', () => {
  const read = (file: string) =>
    made(
      `workspaces: [{name: source}, {name: files, mountPath: /files}]
steps: [{name: build, image: alpine, script: make, volumeMounts: [{name: cache, mountPath: /cache/}]}]
volumes: [{name: cache, emptyDir: {}}]`,
      ['--podman-args-file', file],
    ).findings.join('');

  for (const file of [
    '/workspace/source/args',
    '$(workspaces.source.path)/args',
    '/files/args',
    '/workspace/a',
    '/cache/a',
  ])
    it(`is read from ${file}`, () => expect(read(file)).not.to.include('MPT036'));

  it('is refused where nothing is mounted', () => {
    expect(read('/elsewhere/args')).to.match(/error MPT036: .*\n.*Use one of: \/cache, \/workspace\/source/);
    expect(read('$(workspaces.unknown.path)/args')).to.include('MPT036');
  });
});

describe('the folder of the workspaces', () => {
  for (const mode of ['readOnly: true', 'readOnly: false'])
    it(`is planned once when the step claims a workspace there (${mode})`, () => {
      const { variables } = made(`workspaces: [{name: source, ${mode}}]
steps: [{name: build, image: alpine, script: ls /workspace/foo, workspaces: [{name: source, mountPath: /workspace}]}]`);
      expect(variables['MP_MOUNTS']).to.equal('1');
    });
});

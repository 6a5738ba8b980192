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

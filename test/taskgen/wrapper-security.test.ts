// The user of the step that connects to the host, where the Task says who it may not be.

import { expect } from 'chai';
import { fields } from '../../taskgen/task-model.ts';
import { made } from './small-task.ts';

const capable = (context: string, template = '{}', flags: readonly string[] = []) =>
  made(
    `workspaces: [{name: source}]
stepTemplate: {securityContext: ${template}}
steps:
  - {name: build, image: alpine, script: make, securityContext: ${context}}`,
    flags,
  );

const userOf = ({ task }: ReturnType<typeof made>) => fields(task.steps[0]?.own['securityContext'])['runAsUser'];

describe('a step with added capabilities', () => {
  it('connects as root, as it builds', () => {
    expect(userOf(capable('{capabilities: {add: [SETUID]}}'))).to.equal(0);
  });

  for (const [where, context, template] of [
    ['itself', '{runAsNonRoot: true, capabilities: {add: [SETUID]}}', '{}'],
    ['stepTemplate', '{privileged: true}', '{runAsNonRoot: true}'],
  ] as const)
    it(`never does when ${where} says runAsNonRoot, and its user is asked for`, () => {
      const result = capable(context, template);
      expect(userOf(result)).to.equal(undefined);
      expect(result.findings.join('')).to.match(/warning MPT024: .*\n {4}fix: Say --wrapper-user with the id/);
    });

  it('cannot be told to be root against its own word', () => {
    const context = '{runAsNonRoot: true, capabilities: {add: [SETUID]}}';
    expect(capable(context, '{}', ['--wrapper-user', '0']).findings.join('')).to.match(/error MPT036: .*runAsNonRoot/);
    expect(userOf(capable(context, '{}', ['--wrapper-user', '1000']))).to.equal(1000);
  });
});

describe('--unprivileged-wrapper', () => {
  const merged = (template: string) =>
    capable('{privileged: true, capabilities: {add: [SETUID]}}', template, ['--unprivileged-wrapper']).task.steps[0]
      ?.securityContext;

  it('takes away what stepTemplate gives, since Tekton merges the two', () => {
    expect(
      merged(
        '{runAsUser: 0, capabilities: {add: [SYS_ADMIN]}, seccompProfile: {type: Unconfined}, procMount: Unmasked}',
      ),
    ).to.deep.equal({
      runAsUser: 0,
      privileged: false,
      allowPrivilegeEscalation: false,
      capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
      procMount: 'Default',
    });
  });

  it('adds nothing where stepTemplate gives nothing, and leaves a profile that confines', () => {
    const seccompProfile = { type: 'Localhost', localhostProfile: 'a.json' };
    expect(merged(JSON.stringify({ seccompProfile }))).to.deep.equal({
      privileged: false,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile,
    });
  });
});

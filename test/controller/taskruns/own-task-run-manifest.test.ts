import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { cleanupTaskRun, provisionTaskRun } from '../../../controller/taskruns/own-task-run-manifest.ts';
import type { TaskRunManifest } from '../../../controller/model/action.ts';
import type { LeaseFacts } from '../../../controller/model/host-lease.ts';
import { asArray, asObject } from '../../../controller/model/json.ts';
import { installation } from '../../support/builders.ts';
import { start } from '../../support/host-builders.ts';

const build = { uid: 'uid-1', namespace: 'team-a', name: 'build' };
const host = { provider: 'static', host: 'h', address: '10.0.0.1', user: 'builder', sshSecret: 'ssh-key' } as const;
const facts: LeaseFacts = { attempt: 2, platform: 'linux-mlarge/arm64', claim: { ...host, since: start } };
const prefix = 'build.appstudio.redhat.com';

const labels = {
  [`${prefix}/target-platform`]: 'linux-mlarge-arm64',
  [`${prefix}/user-task-name`]: 'build',
  [`${prefix}/user-task-namespace`]: 'team-a',
  [`${prefix}/user-task-uid`]: 'uid-1',
  [`${prefix}/attempt`]: '2',
  [`${prefix}/assigned-host`]: 'h',
};
const leaseParams = [
  { name: 'SECRET_NAME', value: 'multi-platform-ssh-build' },
  { name: 'TASKRUN_NAME', value: 'build' },
  { name: 'NAMESPACE', value: 'team-a' },
  { name: 'TASKRUN_UID', value: 'uid-1' },
  { name: 'ATTEMPT', value: '2' },
  { name: 'HOST', value: '10.0.0.1' },
  { name: 'USER', value: 'builder' },
];

function withoutName({ metadata, ...rest }: TaskRunManifest): unknown {
  return { ...rest, metadata: { ...metadata, name: metadata.name.replace(/[0-9a-f]{10}$/, '<hash>') } };
}

describe('provision TaskRun', () => {
  it('exactly', () => {
    expect(withoutName(provisionTaskRun(build, facts, host, installation))).to.deep.equal({
      apiVersion: 'tekton.dev/v1',
      kind: 'TaskRun',
      metadata: {
        name: 'build-prov-<hash>',
        namespace: 'multi-platform-controller',
        labels: { ...labels, [`${prefix}/task-type`]: 'provision' },
        annotations: { [`${prefix}/host-lease`]: JSON.stringify(facts) },
      },
      spec: {
        serviceAccountName: 'multi-platform-provision',
        taskRef: { name: 'provision-shared-host' },
        params: [
          ...leaseParams,
          { name: 'SUDO_COMMANDS', value: '' },
          { name: 'RAW_PLATFORM', value: 'linux-arm64' },
          { name: 'INSTANCE_TAG', value: 'test-tag' },
        ],
        workspaces: [{ name: 'ssh', secret: { secretName: 'ssh-key' } }],
        computeResources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } },
      },
    });
  });

  for (const [platform, task] of [
    ['linux/arm64', 'provision-shared-host'],
    ['windows/amd64', 'provision-host-windows'],
    ['windows-large/amd64', 'provision-host-windows'],
    ['macos/arm64', 'provision-host-macos'],
    ['linux-windows/amd64', 'provision-shared-host'],
  ] as const) {
    it(`${platform} is prepared by Task ${task}`, () => {
      const { spec } = provisionTaskRun(build, { ...facts, platform }, host, installation);
      expect(spec['taskRef']).to.deep.equal({ name: task });
    });
  }
});

describe('cleanup TaskRun', () => {
  it('exactly: every fact it needs, and a finalizer of its own', () => {
    expect(withoutName(cleanupTaskRun(build, facts, host, 1, installation))).to.deep.equal({
      apiVersion: 'tekton.dev/v1',
      kind: 'TaskRun',
      metadata: {
        name: 'build-cleanup-<hash>',
        namespace: 'multi-platform-controller',
        labels: { ...labels, [`${prefix}/task-type`]: 'clean', [`${prefix}/cleanup-try`]: '1' },
        annotations: { [`${prefix}/host-lease`]: JSON.stringify(facts) },
        finalizers: ['appstudio.io/multi-platform-cleanup'],
      },
      spec: {
        serviceAccountName: 'multi-platform-clean',
        taskRef: { name: 'clean-shared-host' },
        params: leaseParams,
        workspaces: [{ name: 'ssh', secret: { secretName: 'ssh-key' } }],
        retries: 3,
        computeResources: { requests: { cpu: '100m', memory: '128Mi' } },
      },
    });
  });

  it('of a build with a name of 63 characters fits every limit', () => {
    const name = 'b'.repeat(63);
    const { metadata } = cleanupTaskRun({ ...build, name }, facts, host, 12, installation);
    expect(metadata.name.length).to.equal(63);
    for (const value of Object.values(metadata.labels)) expect(value.length).to.be.at.most(63);
  });
});

describe('params of TaskRuns we create', () => {
  it('are all declared by the Tasks we ship', () => {
    const declared = (task: string): string[] => {
      const text = readFileSync(new URL(`../../../tasks/${task}/task.yaml`, import.meta.url), 'utf8');
      const documents = parseAllDocuments(text).map((document) => asObject(document.toJSON()));
      const found = documents.find(({ kind }) => kind === 'Task');
      return asArray(asObject(found?.['spec'])['params']).map((param) => String(asObject(param)['name']));
    };
    const sent = ({ spec }: TaskRunManifest): string[] =>
      asArray(spec['params']).map((param) => String(asObject(param)['name']));
    expect(declared('provision-shared-host')).to.include.members(
      sent(provisionTaskRun(build, facts, host, installation)),
    );
    expect(declared('clean-shared-host')).to.include.members(sent(cleanupTaskRun(build, facts, host, 1, installation)));
  });
});

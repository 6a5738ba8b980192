import { expect } from 'chai';
import type { TaskRunManifest } from '../../../controller/model/action.ts';
import { factsOf, claimOf, aTaskRun, installation } from '../../support/builders.ts';
import { launchedAs, launching } from '../../support/launched-builds.ts';
import { aPool } from '../../support/pool-builders.ts';
import { launchTaskRun } from '../../../controller/taskruns/launch-task-run-manifest.ts';
import { provisionTaskRun } from '../../../controller/taskruns/own-task-run-manifest.ts';
import { undoTaskRun } from '../../../controller/taskruns/undo-task-run.ts';

const prefix = 'build.appstudio.redhat.com';
const claimed = launching(aTaskRun().forPlatform('linux/arm64'), aPool());
const launched = launchedAs(launching(aTaskRun().forPlatform('linux/arm64'), aPool()), {
  address: '10.1.1.1',
  user: 'toy',
  launch: { ...launchFactsOf(), instanceId: 'i-1' },
}).build();
const token = claimOf(claimed.build()).claim.host;
const hostParams = [
  { name: 'LAUNCH_TOKEN', value: token },
  { name: 'TASKRUN_NAME', value: 'build' },
  { name: 'NAMESPACE', value: 'team-a' },
  { name: 'TASKRUN_UID', value: 'uid-of-build' },
  { name: 'SECRET_NAME', value: 'multi-platform-ssh-build' },
  { name: 'ATTEMPT', value: '1' },
];
const labelsOf = (type: string): Record<string, string> => ({
  [`${prefix}/task-type`]: type,
  [`${prefix}/target-platform`]: 'linux-arm64',
  [`${prefix}/user-task-name`]: 'build',
  [`${prefix}/user-task-namespace`]: 'team-a',
  [`${prefix}/user-task-uid`]: 'uid-of-build',
  [`${prefix}/attempt`]: '1',
  [`${prefix}/assigned-host`]: token,
});

function launchFactsOf() {
  const { launch } = claimOf(launching(aTaskRun().forPlatform('linux/arm64'), aPool()).build()).claim;
  if (launch === undefined) throw new Error('it is not launched');
  return launch;
}

function withoutName({ metadata, ...rest }: TaskRunManifest): unknown {
  return { ...rest, metadata: { ...metadata, name: metadata.name.replace(/[0-9a-f]{10}$/, '<hash>') } };
}

describe('launch TaskRun', () => {
  it('exactly: of the keys of host-config what the Task declares', () => {
    const build = claimed.build();
    const { facts, claim } = claimOf(build);
    expect(withoutName(launchTaskRun(build, facts, claim, aPool(), installation))).to.deep.equal({
      apiVersion: 'tekton.dev/v1',
      kind: 'TaskRun',
      metadata: {
        name: 'build-launch-<hash>',
        namespace: 'multi-platform-controller',
        labels: labelsOf('launch'),
        annotations: { [`${prefix}/host-lease`]: JSON.stringify(factsOf(build)) },
      },
      spec: {
        serviceAccountName: 'multi-platform-launch',
        taskRef: { name: 'launch-toy' },
        params: [{ name: 'COLOUR', value: 'green' }, { name: 'ALLOCATION_TIMEOUT', value: '600' }, ...hostParams],
        workspaces: [
          { name: 'ssh', secret: { secretName: 'ssh-key' } },
          { name: 'credentials', secret: { secretName: 'toy-account' } },
        ],
        timeout: '660s',
      },
    });
  });
});

describe('terminate TaskRun', () => {
  it('exactly: by facts alone', () => {
    const { facts, claim } = claimOf(launched);
    expect(withoutName(undoTaskRun(launched, facts, claim, 1, installation))).to.deep.equal({
      apiVersion: 'tekton.dev/v1',
      kind: 'TaskRun',
      metadata: {
        name: 'build-terminate-<hash>',
        namespace: 'multi-platform-controller',
        labels: { ...labelsOf('terminate'), [`${prefix}/cleanup-try`]: '1' },
        annotations: { [`${prefix}/host-lease`]: JSON.stringify(facts) },
        finalizers: ['appstudio.io/multi-platform-cleanup'],
      },
      spec: {
        serviceAccountName: 'multi-platform-launch',
        taskRef: { name: 'terminate-toy' },
        params: [{ name: 'REGION', value: 'north' }, ...hostParams, { name: 'INSTANCE_ID', value: 'i-1' }],
        workspaces: [{ name: 'credentials', secret: { secretName: 'toy-account' } }],
        retries: 3,
      },
    });
  });

  it('each further try has a name of its own, and one pod', () => {
    const { facts, claim } = claimOf(launched);
    const [first, second] = [1, 2].map((nth) => undoTaskRun(launched, facts, claim, nth, installation));
    expect(second?.metadata.name).to.not.equal(first?.metadata.name);
    expect(second?.spec['retries']).to.equal(0);
  });

  it('does not know what its launch never told', () => {
    const build = claimed.build();
    const { facts, claim } = claimOf(build);
    const { params } = undoTaskRun(build, facts, claim, 1, installation).spec;
    expect(params).to.deep.include({ name: 'INSTANCE_ID', value: '' });
  });
});

describe('provision TaskRun of a launched host', () => {
  it('gets the sudo commands of its platform, and the instance tag of the installation', () => {
    const { facts, claim } = claimOf(launched);
    expect(provisionTaskRun(launched, facts, claim, installation).spec['params']).to.deep.include.members([
      { name: 'HOST', value: '10.1.1.1' },
      { name: 'SUDO_COMMANDS', value: '/usr/bin/podman' },
      { name: 'INSTANCE_TAG', value: installation.instanceTag },
    ]);
  });
});

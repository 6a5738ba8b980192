// Builds on pod hosts, whole: PLATFORM → pod → generated Task → image, and nothing left; and what people hear of a pod that is lost.
import { expect } from 'chai';
import { eventsOf, imageOf, logOf, resultOf, runImage, startBuild, untilDone, type Raw } from './build.ts';
import { cancel, untilBuild, hasSecret, type BuildName } from './interrupt.ts';
import { leftOfHostsFor } from './pod-host.ts';
import { installScriptTask } from './script-task.ts';
import { podPlatform, podPlatforms, shared, useNamespace } from './shared-cluster.ts';
import { until } from './until.ts';

const namespace = 'pod-build';
const prefix = 'build.appstudio.redhat.com';
const hostsNamespace = 'multi-platform-hosts';

describe('a build on a pod of its own', function () {
  this.timeout(600_000);
  before(async () => {
    await useNamespace(namespace);
    await installScriptTask(namespace);
  });
  afterEach(untilNothingLeft);

  it('P1, P5, P9: pushes an image that runs, like any other build', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'hello' };
    const Dockerfile = [
      `FROM ${cluster.registry.inside}/debian:bookworm-slim`,
      'RUN echo "built in user namespace $(tr -s " " </proc/self/uid_map | head -n 1 | cut -d" " -f2)" >/said',
      'CMD ["cat", "/said"]',
    ].join('\n');
    await startBuild(cluster, { ...build, platform: podPlatform, files: { Dockerfile } });
    const done = await untilDone(cluster, build);
    expect(done.status.conditions[0].reason, await logOf(cluster, build)).to.equal('Succeeded');
    const digest = resultOf(done, 'IMAGE_DIGEST') ?? '';
    expect(await runImage(cluster, namespace, imageOf(cluster, build), digest)).to.match(/^built in user namespace \d/);
  });

  it('P9: two builds at once have two pods, a third waits for max-instances', async () => {
    const { cluster } = shared();
    const builds = ['one', 'two', 'three'].map((name) => ({ namespace, name }));
    const files = { script: 'sleep 15' };
    for (const build of builds)
      await startBuild(cluster, { ...build, platform: podPlatform, files, task: 'script-remote' });
    let most = 0;
    await Promise.all([
      ...builds.map((build) => untilDone(cluster, build)),
      until(
        async () => {
          most = Math.max(most, (await pods()).length);
          return most === 2 ? true : undefined;
        },
        () => `never two pods at once: ${most}`,
      ),
    ]);
    for (const build of builds) {
      const done = await untilDone(cluster, build);
      expect(done.status.conditions[0].status, await logOf(cluster, build)).to.equal('True');
    }
  });

  it('P10: tells within seconds that the pod of a build was deleted', async () => {
    const build = await running('lost');
    const [pod] = await pods();
    await shared().cluster.kubectl.run(['delete', 'pod', pod!, '-n', hostsNamespace, '--wait=false']);
    const done = await untilDone(shared().cluster, build);
    expect(done.status.conditions[0].status).to.equal('False');
    const lost = await until(
      async () => (await eventsOf(shared().cluster, build)).find(({ reason }) => reason === 'HostLost'),
      () => 'no Event HostLost',
    );
    expect(lost.message).to.contain('it was deleted');
  });

  it('P1: a build that is cancelled takes its pod with it', async () => {
    const build = await running('cancelled');
    await cancel(shared().cluster, build);
    const done = await untilDone(shared().cluster, build);
    expect(done.status.conditions[0].reason).to.equal('TaskRunCancelled');
  });

  /** Deleted when its own pod, or that of the host, is as wanted. */
  const cutOff: readonly [string, string, (launch: Raw) => Promise<boolean>][] = [
    ['half-way', 'relaunched', async (launch) => launch.status?.podName !== undefined],
    ['when its host runs already', 'adopted', async () => (await podFor('adopted'))?.status.phase === 'Running'],
  ];
  for (const [moment, name, isThen] of cutOff) {
    it(`P1: a launch that is deleted ${moment} is made again, for the same pod`, async () => {
      const { cluster } = shared();
      const build = { namespace, name };
      await startBuild(cluster, { ...build, platform: podPlatform, files: { script: 'true' }, task: 'script-remote' });
      const selector = `${prefix}/task-type=launch,${prefix}/user-task-name=${name}`;
      const launch = await until(
        async () => {
          const list = ['get', 'taskruns', '-n', 'multi-platform-controller', '-l', selector];
          const { items } = await cluster.kubectl.json<Raw>(list);
          return items[0] !== undefined && (await isThen(items[0])) ? items[0] : undefined;
        },
        () => 'no launch ever came so far',
      );
      const remove = ['delete', 'taskrun', launch.metadata.name, '-n', 'multi-platform-controller', '--wait=false'];
      await cluster.kubectl.run(remove);
      const done = await untilDone(cluster, build);
      expect(done.status.conditions[0].status, await logOf(cluster, build)).to.equal('True');
    });
  }

  it('P4: no node for its pod: the build is told in the words of the scheduler, and goes on when there is one', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'late' };
    const files = { script: 'true' };
    await startBuild(cluster, { ...build, platform: podPlatforms.late, files, task: 'script-remote' });
    const heard = async (): Promise<string | undefined> =>
      (await eventsOf(cluster, build)).map(({ message }) => message).find((it) => it.includes('nodes are available'));
    const message = await until(heard, () => 'the build never heard what the scheduler said');
    expect(message).to.match(/^waiting for its host to be launched: 0\/\d+ nodes are available/);
    const shown = await until(
      async () => (await buildPod(build)).metadata.annotations?.[`${prefix}/wait-reason`],
      () => 'its pod shows no reason',
    );
    expect(shown).to.equal(message);
    await cluster.kubectl.run(['label', 'node', 'node-1', 'late=build']);
    try {
      const done = await untilDone(cluster, build);
      expect(done.status.conditions[0].status, await logOf(cluster, build)).to.equal('True');
    } finally {
      await cluster.kubectl.run(['label', 'node', 'node-1', 'late-']);
    }
  });

  it('P3: the pod for another architecture goes to a node of that architecture', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'far' };
    const files = { script: 'true' };
    await addNode('node-s390x', 's390x');
    try {
      await startBuild(cluster, { ...build, platform: podPlatforms.far, files, task: 'script-remote' });
      const node = await until(
        async () => (await podFor('far'))?.spec.nodeName,
        () => 'no node ever got the pod',
      );
      expect(node).to.equal('node-s390x');
      await cancel(cluster, build);
      await untilDone(cluster, build);
    } finally {
      // Nobody is there who could end a pod: with its node gone, that is nobody's task any more.
      await cluster.kubectl.run(['delete', 'node', 'node-s390x']);
      const pod = await podFor('far');
      const force = ['--grace-period=0', '--force', '--ignore-not-found'];
      if (pod !== undefined)
        await cluster.kubectl.run(['delete', 'pod', pod.metadata.name, '-n', hostsNamespace, ...force]);
    }
  });

  it('M6, P12: a pod is as big as its build wishes, within the bounds of its platform, and is reached by a port of its node', async () => {
    const { cluster } = shared();
    const build = { namespace, name: 'sized' };
    const files = { Dockerfile: `FROM ${cluster.registry.inside}/busybox:1\nUSER 0\nRUN true\n` };
    const wishes = { REQUEST_CPU: '150m', REQUEST_MEMORY: '300Mi', LIMIT_CPU: '1500m', LIMIT_MEMORY: '64Gi' };
    await startBuild(cluster, { ...build, platform: podPlatforms.sized, files, params: { ...wishes, SBOM: 'none' } });
    const pod = await until(
      () => podFor('sized'),
      () => 'no pod was ever made',
    );
    const { requests, limits } = pod.spec.containers[0].resources;
    expect(requests).to.include({ cpu: '150m', memory: '300Mi' });
    expect(limits).to.include({ cpu: '1500m', memory: '1Gi' });
    const done = await untilDone(cluster, build);
    expect(done.status.conditions[0].status, await logOf(cluster, build)).to.equal('True');
  });

  /** A build whose script runs on its pod. */
  async function running(name: string): Promise<BuildName> {
    const { cluster } = shared();
    const build = { namespace, name };
    const files = { script: 'echo the script runs; sleep 300' };
    await startBuild(cluster, { ...build, platform: podPlatform, files, task: 'script-remote' });
    await untilBuild(cluster, build, 'given its Secret', hasSecret);
    await until(
      async () => ((await logOf(cluster, build).catch(() => '')).includes('the script runs') ? true : undefined),
      () => `the script of ${name} never ran`,
    );
    return build;
  }
});

async function buildPod({ name }: BuildName): Promise<Raw> {
  return shared().cluster.kubectl.json<Raw>(['get', 'pod', `${name}-pod`, '-n', namespace]);
}

/** The host of that build; undefined while there is none. */
async function podFor(name: string): Promise<Raw> {
  const selector = `${prefix}/user-task-namespace=${namespace},${prefix}/user-task-name=${name}`;
  const { items } = await shared().cluster.kubectl.json<Raw>(['get', 'pods', '-n', hostsNamespace, '-l', selector]);
  return items[0];
}

/** Only the scheduler believes in it; nobody else's pods may. */
async function addNode(name: string, arch: string): Promise<void> {
  const { kubectl } = shared().cluster;
  const labels = { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': arch };
  const taints = [{ key: 'played', value: 'node', effect: 'NoSchedule' }];
  await kubectl.run(
    ['create', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec: { taints } }),
  );
  const amounts = { cpu: '4', memory: '8Gi', pods: '10', 'ephemeral-storage': '100Gi' };
  const conditions = [{ type: 'Ready', status: 'True', reason: 'Played', lastHeartbeatTime: new Date().toISOString() }];
  const status = JSON.stringify({ status: { conditions, capacity: amounts, allocatable: amounts } });
  await kubectl.run(['patch', 'node', name, '--subresource=status', '--type=merge', '-p', status]);
}

async function pods(): Promise<string[]> {
  const { items } = await shared().cluster.kubectl.json<Raw>([
    'get',
    'pods',
    '-n',
    hostsNamespace,
    '-l',
    `${prefix}/user-task-namespace=${namespace}`,
  ]);
  return items.map((pod: Raw) => pod.metadata.name);
}

/** In the namespace of hosts, of our TaskRuns, of Secrets, and no finalizer on the builds. */
async function untilNothingLeft(): Promise<void> {
  const { kubectl } = shared().cluster;
  const ofBuilds = ['-l', `${prefix}/user-task-namespace=${namespace}`, '-o', 'name'];
  let left = '';
  await until(
    async () => {
      const hosts = await leftOfHostsFor(namespace);
      const ours = await kubectl.run(['get', 'taskruns', '-n', 'multi-platform-controller', ...ofBuilds]);
      const secrets = await kubectl.run(['get', 'secrets', '-n', namespace, '-o', 'name']);
      const held = ['-o', 'jsonpath={range .items[*]}{.metadata.finalizers}{end}'];
      left = hosts + ours + secrets + (await kubectl.run(['get', 'taskruns', '-n', namespace, ...held]));
      return left === '' ? true : undefined;
    },
    async () => `something is left: ${left}\n${await resultsOfOurs()}`,
  );
}

/** What our TaskRuns said when they ended. */
async function resultsOfOurs(): Promise<string> {
  const line = '{.metadata.name}: {.status.conditions[0].message} {.status.results}';
  const lines = ['-o', `jsonpath={range .items[*]}${line}{"\\n"}{end}`];
  const ofBuilds = ['-l', `${prefix}/user-task-namespace=${namespace}`];
  return shared().cluster.kubectl.run(['get', 'taskruns', '-n', 'multi-platform-controller', ...ofBuilds, ...lines]);
}

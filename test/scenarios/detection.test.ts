// Which TaskRuns are builds, and what PLATFORM they ask for: the contract with everybody who writes Tasks, and lines 5,
// 18, 19 and 29 of what builds are promised. What is not a build stays untouched.
import { expect } from 'chai';
import { openLane } from '../support/lane.ts';
import { annotation, factsOf, isRefused, label, prefix, userFinalizer } from '../support/observed-task-run.ts';
import { operatorNamespace, type Raw } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

const malformed =
  "platform must be in format 'label/label' where each label follows Kubernetes RFC 1035 label name format";

describe('scenario: what is a build', function () {
  this.timeout(120_000);
  const { scenario } = setStage();

  const isUntouched = (build: Raw): void => {
    expect(build.metadata.finalizers ?? []).to.deep.equal([]);
    const keys = [...Object.keys(build.metadata.labels ?? {}), ...Object.keys(build.metadata.annotations ?? {})];
    expect(keys.filter((key) => key.startsWith(prefix) || key.startsWith('appstudio'))).to.deep.equal([]);
  };

  it('contract 1: any Secret volume with our prefix makes a build; the Secret is named after the TaskRun', async () => {
    const lane = await openLane(scenario);
    await lane.build('b', { secretName: 'multi-platform-ssh-$(context.taskRun.name)' });
    await lane.ready('b');
    expect(await scenario.secret(lane.tenant, 'multi-platform-ssh-b')).not.to.equal(undefined);
    await lane.endAll('b');
  });

  it('contract 1: a TaskRun without our volume is not touched', async () => {
    const lane = await openLane(scenario);
    await lane.build('plain', { secretName: 'registry-login' });
    await lane.passes();
    isUntouched(await scenario.taskRun(lane.tenant, 'plain'));
    expect(await scenario.secret(lane.tenant, 'multi-platform-ssh-plain')).to.equal(undefined);
  });

  it('contract 1: status.taskSpec that comes late is noticed when it comes', async () => {
    const lane = await openLane(scenario);
    const path = `/apis/tekton.dev/v1/namespaces/${lane.tenant}/taskruns`;
    const spec = { taskRef: { name: 'remote' }, params: [{ name: 'PLATFORM', value: lane.platform }] };
    const apiVersion = 'tekton.dev/v1';
    await scenario.api.ask('POST', path, { apiVersion, kind: 'TaskRun', metadata: { name: 'late' }, spec });
    await lane.passes();
    isUntouched(await scenario.taskRun(lane.tenant, 'late'));
    const volumes = [{ name: 'ssh', secret: { secretName: 'multi-platform-ssh-late' } }];
    await scenario.status(lane.tenant, 'late', { taskSpec: { steps: [], volumes } });
    await lane.ready('late');
    await lane.endAll('late');
  });

  it('contract 10.1: PLATFORM may be a default of the Task', async () => {
    const lane = await openLane(scenario);
    const taskSpec = { params: [{ name: 'PLATFORM', type: 'string', default: lane.platform }] };
    await lane.build('by-default', { params: null, taskSpec });
    await lane.ready('by-default');
    await lane.endAll('by-default');
  });

  it('contract 1: the first PLATFORM counts, and comes before a default', async () => {
    const lane = await openLane(scenario);
    const taskSpec = { params: [{ name: 'PLATFORM', type: 'string', default: 'linux/none' }] };
    const params = [
      { name: 'IMAGE', value: 'x' },
      { name: 'PLATFORM', value: lane.platform },
      { name: 'PLATFORM', value: 'linux/other' },
    ];
    await lane.build('first', { params, taskSpec });
    await lane.ready('first');
    await lane.endAll('first');
  });

  for (const [what, params] of [
    ['no params at all', null],
    ['params, but none called PLATFORM', [{ name: 'IMAGE', value: 'x' }]],
  ] as const) {
    it(`19: a build with ${what} is left alone, and told so once`, async () => {
      const lane = await openLane(scenario);
      await lane.build('b', { params });
      const events = await lane.eventsUntil('PlatformMissing', 'b');
      await scenario.change(lane.tenant, 'b', { metadata: { annotations: { touched: 'again' } } });
      await lane.passes();
      isUntouched(await scenario.taskRun(lane.tenant, 'b'));
      expect(await scenario.secret(lane.tenant, 'multi-platform-ssh-b')).to.equal(undefined);
      expect(events.map(({ type, message }) => [type, message.split(':')[0]])).to.deep.equal([
        ['Warning', 'PLATFORM parameter not found in TaskRun parameters'],
      ]);
      expect(await lane.eventsUntil('PlatformMissing', 'b')).to.have.length(1);
      await scenario.finish(lane.tenant, 'b', 'failed');
    });
  }

  const badPlatforms: readonly [string, unknown][] = [
    ['an array', ['linux/arm64']],
    ['an object', { os: 'linux' }],
    ['empty', ''],
    ['one word', 'arm64'],
    ['of three parts', 'linux/arm/v7'],
    ['upper case', 'linux/ARM64'],
    ['underscored', 'linux/amd_64'],
    ['a digit first', 'linux/386'],
    ['a shell command', '$(touch /tmp/x)/arm64'],
    ['two lines', 'linux/arm64\nroot ALL=(ALL) NOPASSWD: ALL'],
    ['very long', `linux/${'a'.repeat(5000)}`],
  ];
  it('18: whatever PLATFORM says, a malformed one is refused at once with what is right, and goes nowhere else', async () => {
    const lane = await openLane(scenario);
    for (const [index, [, value]] of badPlatforms.entries())
      await lane.build(`bad-${index}`, { params: [{ name: 'PLATFORM', value }] });
    for (const [index, [what]] of badPlatforms.entries()) {
      expect(await lane.error(`bad-${index}`), what).to.satisfy((error: string) => error.startsWith(malformed));
      const build = await lane.until(`bad-${index}`, isRefused);
      expect(build.metadata.finalizers).to.deep.equal([userFinalizer]);
      expect(label(build, 'assigned-host')).to.equal(undefined);
      await lane.finish(`bad-${index}`, 'failed');
    }
    await lane.passes();
    expect(scenario.watched.ever.filter((it) => label(it, 'user-task-name')?.startsWith('bad-'))).to.deep.equal([]);
  });

  it('19: finalizers, labels and annotations of others stay as they are, from claim to release', async () => {
    const lane = await openLane(scenario);
    const options = {
      finalizers: ['chains.tekton.dev', 'example.com/archive'],
      labels: { 'tekton.dev/pipelineRun': 'p', team: 'a' },
      annotations: { 'chains.tekton.dev/signed': 'true' },
    };
    await lane.build('b', options);
    const held = await lane.ready('b');
    expect(held.metadata.finalizers).to.have.members([...options.finalizers, userFinalizer]);
    await scenario.change(lane.tenant, 'b', { metadata: { labels: { team: 'b' }, annotations: { more: 'yes' } } });
    await lane.finish('b');
    await lane.released('b');
    const { metadata } = await scenario.taskRun(lane.tenant, 'b');
    expect(metadata.finalizers).to.deep.equal(options.finalizers);
    expect(metadata.labels).to.include({ 'tekton.dev/pipelineRun': 'p', team: 'b' });
    expect(metadata.annotations).to.include({ 'chains.tekton.dev/signed': 'true', more: 'yes' });
    await lane.expectClean();
  });

  it('19: odd TaskRuns, Secrets and ConfigMaps of others stop nothing', async () => {
    const lane = await openLane(scenario, { slots: [2] });
    await Promise.all(oddities(lane.tenant).map(([path, body]) => scenario.api.ask('POST', path, body)));
    await lane.passes();
    await scenario.status(lane.tenant, 'odd-spec', { taskSpec: { volumes: 'none' } });
    await scenario.status(lane.tenant, 'odd-facts', {
      taskSpec: { volumes: [null, 'x', { secret: 'y' }, { secret: { secretName: 7 } }] },
    });
    await lane.passes();
    await lane.expectClean();
  });

  it('19: a forged lease holds no slot and names no host', async () => {
    const lane = await openLane(scenario);
    const claim = { provider: 'static', host: lane.host(), address: '6.6.6.6', user: 'root', sshSecret: 'x', since: 1 };
    const facts = JSON.stringify({ attempt: 1, platform: lane.platform, claim, ready: true });
    const forged = { [`${prefix}/host-lease`]: `bm90IHNpZ25lZA.${facts}` };
    await lane.build('forger', { annotations: forged });
    const build = await lane.until('forger', (it) => factsOf(it)?.claim?.address === lane.address());
    expect(label(build, 'assigned-host')).to.equal(lane.host());
    await lane.ready('forger');
    await lane.endAll('forger');
    const hosts = lane
      .everOurs('clean', 'forger')
      .map((it) => it.spec.params.find((one: Raw) => one.name === 'HOST').value);
    expect(hosts).to.deep.equal([lane.address()]);
    expect(annotation(await scenario.taskRun(lane.tenant, 'forger'), 'host-lease')).not.to.contain('6.6.6.6');
  });
});

/** Things that look a little like ours. */
function oddities(tenant: string): [string, object][] {
  const taskRuns = (namespace: string): string => `/apis/tekton.dev/v1/namespaces/${namespace}/taskruns`;
  const apiVersion = 'tekton.dev/v1';
  const taskRun = (name: string, metadata: object, spec: object = {}): object => ({
    apiVersion,
    kind: 'TaskRun',
    metadata: { name, ...metadata },
    spec,
  });
  const typed = (type: string, more = {}): object => ({ labels: { [`${prefix}/task-type`]: type, ...more } });
  const core = `/api/v1/namespaces/${operatorNamespace}`;
  const secretLabels = { [`${prefix}/multi-platform-secret`]: '' };
  return [
    [taskRuns(operatorNamespace), taskRun('odd-bare', typed('provision'))],
    [taskRuns(operatorNamespace), taskRun('odd-type', typed('coffee'))],
    [taskRuns(operatorNamespace), taskRun('odd-attempt', typed('clean', { [`${prefix}/attempt`]: 'two' }))],
    [taskRuns(operatorNamespace), taskRun('odd-update', typed('update'))],
    [taskRuns(tenant), taskRun('odd-tenant', typed('provision', { [`${prefix}/user-task-name`]: 'x' }))],
    [taskRuns(tenant), taskRun('odd-spec', {}, { params: [{ name: 'PLATFORM', value: 7 }] })],
    [taskRuns(tenant), taskRun('odd-facts', { annotations: { [`${prefix}/host-lease`]: '{"attempt":' } })],
    [`${core}/secrets`, { metadata: { name: 'odd-empty', labels: secretLabels } }],
    [`${core}/secrets`, { metadata: { name: 'odd-type', labels: secretLabels }, type: 'example.com/odd', data: {} }],
    [`${core}/configmaps`, { metadata: { name: 'odd', labels: { [`${prefix}/multi-platform-config`]: 'x' } } }],
    [
      `/api/v1/namespaces/${tenant}/configmaps`,
      { metadata: { name: 'host-config' }, data: { 'local-platforms': 'x' } },
    ],
    [`${core}/events`, oddEvent()],
  ];
}

/** As a provision TaskRun reports; about nothing there is. */
function oddEvent(): object {
  const metadata = { name: 'odd', namespace: operatorNamespace };
  const involvedObject = { kind: 'TaskRun', namespace: operatorNamespace, name: 'nobody' };
  return { metadata, involvedObject, reason: 'SecretCreated', message: 'x', type: 'Normal' };
}

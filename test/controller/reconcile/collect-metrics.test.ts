import { expect } from 'chai';
import { Cache } from '../../../controller/kubernetes/cache.ts';
import { minute, second } from '../../../controller/model/instant.ts';
import type { KeptTaskRun } from '../../../controller/model/task-run.ts';
import { collectMetrics } from '../../../controller/reconcile/collect-metrics.ts';
import { HostConfigState } from '../../../controller/reconcile/host-config-state.ts';
import { taskRunIndexes, type TaskRuns } from '../../../controller/reconcile/take-snapshot.ts';
import type { MetricsSnapshot, PlatformSnapshot } from '../../../controller/telemetry/metrics-snapshot.ts';
import { aProvisionFor, aTaskRun, type TaskRunBuilder } from '../../support/builders.ts';
import { aHost, hostConfigData, start } from '../../support/host-builders.ts';
import { aLaunchFor, launching } from '../../support/launched-builds.ts';
import { aPool } from '../../support/pool-builders.ts';
import { launchedConfig, providerTasks, toyTasks } from '../../support/provider-builders.ts';

const build = (name: string, namespace = 'team-a', wanted = 'linux/arm64'): TaskRunBuilder =>
  aTaskRun().named(name, namespace).forPlatform(wanted);

interface Given {
  readonly config?: Readonly<Record<string, string>>;
  readonly kept?: readonly KeptTaskRun[];
  readonly leader?: boolean;
  readonly secrets?: readonly string[];
  readonly draining?: string;
}

function collect({ config = hostConfigData({ h: 2, i: 4 }), kept = [], ...given }: Given): MetricsSnapshot {
  const taskRuns: TaskRuns = new Cache({
    index: taskRunIndexes,
    onListenerError: (error) => {
      throw error;
    },
  });
  taskRuns.replace(taskRuns.relisting(), kept);
  const hostConfig = new HostConfigState('operators', start);
  hostConfig.updateTasks(providerTasks(...toyTasks()), start);
  hostConfig.update(config, start);
  return collectMetrics({
    taskRuns,
    hostConfig,
    hasSshSecret: (name) => (given.secrets ?? ['ssh-key']).includes(name),
    isDraining: (host) => host === given.draining,
    isLeader: () => given.leader ?? true,
    now: () => start + 10 * second,
  });
}

function platformOf(given: Given): PlatformSnapshot {
  const [snapshot] = collect(given).platforms;
  if (snapshot === undefined) throw new Error('no platform');
  return snapshot;
}

/** `name used/free/blocked`. */
const hostsOf = (given: Given): string[] =>
  platformOf(given).hosts.map(({ host, slots }) => `${host} ${slots.used}/${slots.free}/${slots.blocked}`);

describe('gauges at a scrape', () => {
  const h = aHost('h').withSlots(2).build();

  it('an empty platform', () => {
    expect(collect({})).to.deep.equal({
      leader: true,
      configProblems: { error: 0, warning: 0 },
      platforms: [
        {
          platform: 'linux/arm64',
          poolSize: 6,
          running: {},
          waiting: {},
          oldestWaiting: 0,
          hosts: [
            { host: 'h', slots: { used: 0, free: 2, blocked: 0 }, quarantined: false },
            { host: 'i', slots: { used: 0, free: 4, blocked: 0 }, quarantined: false },
          ],
        },
      ],
    });
  });

  it('builds by namespace, those that ended left out, and the age of the oldest that waits', () => {
    const kept = [
      build('a').claimed(h).build(),
      build('b').claimed(h).ready().build(),
      build('c', 'team-b').claimed(h).build(),
      build('d').claimed(h).ready().ended().build(),
      build('e')
        .createdAt(start + 4 * second)
        .build(),
      build('f', 'team-b')
        .createdAt(start + 7 * second)
        .build(),
      build('g')
        .createdAt(start - minute)
        .ended()
        .build(),
      build('x', 'team-a', 'linux/s390x')
        .createdAt(start - minute)
        .build(),
    ];
    expect(platformOf({ kept })).to.deep.include({
      running: { 'team-a': 2, 'team-b': 1 },
      waiting: { 'team-a': 1, 'team-b': 1 },
      oldestWaiting: 6,
    });
    expect(hostsOf({ kept })).to.deep.equal(['h 3/0/0', 'i 0/4/0']);
  });

  const blocked: readonly (readonly [string, Given])[] = [
    ['cordoned', { config: hostConfigData({ h: 2, i: 4 }, { 'cordoned-hosts': 'i' }) }],
    ['emptied for its care', { draining: 'i' }],
  ];
  for (const [what, given] of blocked) {
    it(`free slots of a host that is ${what} are blocked`, () =>
      expect(hostsOf(given)).to.deep.equal(['h 0/2/0', 'i 0/0/4']));
  }

  it('free slots of hosts nobody can log in to are blocked', () => {
    expect(hostsOf({ secrets: [] })).to.deep.equal(['h 0/0/2', 'i 0/0/4']);
  });

  it('a quarantined host is shown as such, and its free slots are blocked', () => {
    const failed = ['a', 'b', 'c'].map((name) =>
      aProvisionFor(build(name, `team-${name}`).claimed(h).build())
        .ended('failed', start)
        .build(),
    );
    const given = { config: hostConfigData({ h: 2, i: 4, j: 1 }), kept: failed };
    expect(hostsOf(given)).to.deep.equal(['h 0/0/2', 'i 0/4/0', 'j 0/1/0']);
    expect(platformOf(given).hosts.map(({ quarantined }) => quarantined)).to.deep.equal([true, false, false]);
  });

  it('so is one that is left alone by one namespace, whose slots are free for the others', () => {
    const failed = ['a', 'b', 'c'].map((name) =>
      aProvisionFor(build(name).claimed(h).build()).ended('failed', start).build(),
    );
    const given = { config: hostConfigData({ h: 2, i: 4, j: 1 }), kept: failed };
    expect(hostsOf(given)).to.deep.equal(['h 0/2/0', 'i 0/4/0', 'j 0/1/0']);
    expect(platformOf(given).hosts.map(({ quarantined }) => quarantined)).to.deep.equal([true, false, false]);
  });

  it('slots that are kept until a host is clean are used', () => {
    const kept = [build('a').claimed(h).ready().ended().build()];
    const config = hostConfigData({ h: 2 }, { 'release-slot-after': 'cleanup' });
    expect(hostsOf({ kept, config })).to.deep.equal(['h 1/1/0']);
    expect(hostsOf({ kept, config: hostConfigData({ h: 2 }) })).to.deep.equal(['h 0/2/0']);
  });

  it('launched hosts: as many as there may be, and the builds that have one or are to get one', () => {
    const pool = aPool();
    const launched = launching(build('a'), pool).build();
    const kept = [
      launched,
      aLaunchFor(launched, pool).build(),
      launching(build('b', 'team-b'), pool).ready().build(),
      launching(build('c'), pool).ready().ended().build(),
      build('d').build(),
    ];
    expect(collect({ config: launchedConfig({ 'max-instances': '7' }), kept }).platforms).to.deep.equal([
      {
        platform: 'linux/arm64',
        poolSize: 7,
        running: { 'team-a': 1, 'team-b': 1 },
        waiting: { 'team-a': 1 },
        oldestWaiting: 10,
        hosts: [],
      },
    ]);
  });

  it('platforms in the cluster itself, and those that are not configured, have none', () => {
    const kept = [aTaskRun().forPlatform('linux/x86_64').claimedLocally().build(), build('x', 'team-a', 'a/b').build()];
    expect(collect({ config: { 'local-platforms': 'linux/x86_64' }, kept }).platforms).to.deep.equal([]);
  });

  it('problems of host-config by severity', () => {
    const config = hostConfigData({ h: 1 }, { 'max-wait': 'soon', colour: 'red', 'fair-share': '1' });
    expect(collect({ config }).configProblems).to.deep.equal({ error: 2, warning: 1 });
  });

  it('who is the leader', () => {
    expect([collect({}).leader, collect({ leader: false }).leader]).to.deep.equal([true, false]);
  });
});

// One look at a build that gets a host of its own: what is asked for, in which order.
import { expect } from 'chai';
import { noteLaunched } from '../../../controller/lease/write-lease.ts';
import { minute, second } from '../../../controller/model/instant.ts';
import { aCleanupFor, aProvisionFor, claimOf, type OwnTaskRunBuilder } from '../../support/builders.ts';
import { start } from '../../support/host-builders.ts';
import { gaveUpLaunch, launchedAs, launching, lostLaunch } from '../../support/launched-builds.ts';
import { aPool, aSelfPreparingPool } from '../../support/pool-builders.ts';
import { claimed, failed, hostOf, isThere, launch, launched, look, told } from './launched-looks.ts';

const delivered = (): string[] => [
  'check Secret',
  '  there: patch: attempt 1 on a host of its own ready',
  `  there: event Normal HostReady: host ${hostOf(launched())} is ready`,
];

describe('a build that gets a host of its own', () => {
  it('is launched', () => {
    expect(look(claimed())).to.deep.include({
      phase: 'claimed',
      does: [
        'create launch of attempt 1 on a host of its own',
        'event Normal Launching: launching a host of type toy (attempt 1)',
      ],
    });
  });

  it('waits for that, hardly longer than allocation-timeout', () => {
    const seen = look(claimed(), { children: [launch()] });
    expect(seen).to.deep.equal({ phase: 'launching', does: [], lookAgainAt: start + 11.25 * minute });
    const late = look(claimed(), { children: [launch()], now: start + 11.25 * minute });
    expect(late.does).to.deep.equal(['cancel launch of attempt 1 on a host of its own']);
  });

  it('keeps what the launch told, then has the host prepared', () => {
    const done = launch().ended('succeeded', start, told);
    expect(look(claimed(), { children: [done] })).to.deep.include({
      phase: 'launched',
      does: [
        'patch: attempt 1 on i-1, cloud-instance-id=i-1, cloud-address=10.1.1.1, assigned-host=i-1',
        'event Normal Launched: host i-1 is launched (10.1.1.1)',
      ],
    });
    const children = [launch().ended('succeeded', start, isThere)];
    const prepare = [
      'create provision of attempt 1 on a host of its own',
      `event Normal Provisioning: preparing host ${hostOf(launched())} (attempt 1)`,
    ];
    const seen = { attempt: 1, step: 'launch' } as const;
    // A Secret that is there is not of this attempt: perhaps of a host before this one, made late.
    expect(look(launched(), { children, seen })).to.deep.include({ phase: 'launched', does: prepare });
    expect(look(launched(), { children, anew: true })).to.deep.include({
      phase: 'launched',
      does: [...delivered(), ...prepare.map((it) => `  missing: ${it}`)],
    });
  });

  it('is prepared, also when its launch TaskRun is gone by then', () => {
    expect(look(launched(), { children: [aProvisionFor(launched().build())] }).phase).to.equal('provisioning');
  });

  it('runs, and the launch TaskRun stays as a record', () => {
    const children = [launch().ended('succeeded', start, isThere)];
    expect(look(launched().ready(), { children })).to.deep.include({ phase: 'ready', does: [] });
  });

  it('nobody launches hosts for its platform any more: what may have been launched is terminated, it waits', () => {
    expect(look(claimed(), { pool: undefined }).does).to.deep.equal([
      'create terminate 1 of attempt 1 on a host of its own',
      'patch: attempt 1, assigned-host away, waiting-for-platform=linux-arm64',
    ]);
  });

  it('its launch TaskRun was deleted: the same token again, under another name', () => {
    const event =
      'event Warning LaunchFailed: the TaskRun that launched a host was deleted (attempt 1): it is started again';
    const deleting = look(claimed(), { children: [launch().deleting()] });
    expect(deleting.does).to.deep.equal(['patch: attempt 2 on a host of its own after a lost one', event]);
    const gone = look(claimed(), { seen: { attempt: 1, step: 'launch' } });
    expect(gone).to.deep.include({ phase: 'claimed', does: deleting.does });
    // To go on to another attempt here would never end for a controller that is killed after every write.
    const unknown = look(claimed(), { anew: true });
    expect(unknown.does[0]).to.equal('create launch of attempt 1 on a host of its own');
    const [first, again] = [claimed().build(), claimed().build()].map(({ facts }) => facts?.claim?.host);
    expect(first).to.equal(again);
  });
});

describe('a launch that fails', () => {
  const giveUp = [
    'delete Secret team-a/multi-platform-ssh-build',
    'create terminate 1 of attempt 1 on a host of its own',
  ];

  it('for want of capacity: the build waits, however often', () => {
    const short = failed({ REASON: 'InsufficientCapacity', MESSAGE: 'no more zebras' });
    expect(look(claimed(), { children: [short] })).to.deep.include({
      phase: 'unlaunched',
      does: [
        ...giveUp,
        'patch: attempt 1, assigned-host away, waiting-for-platform=linux-arm64',
        `event Warning LaunchFailed: host ${hostOf(claimed())} could not be had: no more zebras`,
      ],
    });
  });

  it('for good: the build is refused with that sentence', () => {
    const refused = failed({ REASON: 'LaunchRefused', MESSAGE: 'toys are forbidden here' });
    const { does } = look(claimed(), { children: [refused] });
    expect(does.slice(0, 3)).to.deep.equal([...giveUp, 'create Secret error']);
    expect(does.at(-1)).to.equal(
      'event Warning Rejected: Error allocating host: the launch was refused: toys are forbidden here',
    );
  });

  it("because of a Secret: somebody's at the first attempt, later perhaps that of a launch that was cut off", () => {
    const taken = { REASON: 'SecretExists', MESSAGE: 'it is there' };
    const first = look(claimed(), { children: [failed(taken)] });
    expect(first.does.at(-1)).to.contain('exists already and is not ours');
    const short = launching(gaveUpLaunch(claimed(), false), aPool());
    const later = look(short, { children: [failed(taken, short)] });
    expect(later.does.at(-1)).to.contain('exists already and is not ours');
    for (const cutOff of [gaveUpLaunch(claimed()), gaveUpLaunch(lostLaunch(claimed()), false)]) {
      const once = launching(cutOff, aPool());
      const next = look(once, { children: [failed(taken, once)] });
      expect(next.does.at(-1)).to.match(/^event Warning LaunchFailed: .* could not be had: it is there$/);
    }
  });

  it('otherwise: another host, three in all', () => {
    const broken = { REASON: 'ToyBroken', MESSAGE: 'a wheel is off' };
    const { does } = look(claimed(), { children: [failed(broken)] });
    expect(does[2]).to.equal(
      'patch: attempt 1 after 1 hosts that came to nothing, cloud-failure-count=1, assigned-host away, waiting-for-platform=linux-arm64',
    );
    const once = launching(gaveUpLaunch(claimed()), aPool());
    const third = launching(gaveUpLaunch(once), aPool());
    const last = look(third, { children: [failed(broken, third)] });
    expect(last.does.find((it) => it.startsWith('event'))).to.match(
      /^event Warning Rejected: Error allocating host: failed to provision host: a wheel is off \(3 hosts came to nothing\)/,
    );
  });

  it('because it took too long: the sentence says so', () => {
    const end = start + 11 * minute;
    const late = launch().cancelled().ended('failed', end);
    const { does } = look(claimed(), { children: [late], now: end });
    expect(does.at(-1)).to.match(/timed out waiting for instance address \(allocation-timeout is 600 s\)/);
  });

  it('the host is there and nobody can log in: another one', () => {
    const mute = launch().ended('succeeded', start, { INSTANCE_ID: 'i-1' });
    const noted = launchedAs(claimed(), {});
    const { does } = look(noted, { children: [mute], anew: true });
    expect(does[0]).to.match(/^patch: attempt 1 on i-1/);
  });
});

describe('a launch that fails for good, told half by a process that is no more', () => {
  it('what was said stays', () => {
    const refused = failed({ REASON: 'LaunchRefused', MESSAGE: 'toys are forbidden here' });
    const { does } = look(claimed(), { children: [refused, aCleanupFor(claimed().build())] });
    expect(does[0]).to.equal('create Secret error');
  });
});

describe('a launched host whose provision fails', () => {
  it('is terminated, and another one is launched', () => {
    const provision = aProvisionFor(launched().build()).ended('failed', start, {
      REASON: 'X',
      MESSAGE: 'disk is full',
    });
    const { phase, does } = look(launched(), { children: [provision] });
    expect(phase).to.equal('failed');
    expect(does[1]).to.equal('create terminate 1 of attempt 1 on a host of its own');
    expect(does.at(-1)).to.match(/^event Warning LaunchFailed: .* could not be had: disk is full$/);
  });

  it('is one of the failed hosts, by the name its provider gave it', () => {
    const build = launched().changed((taskRun) => {
      const { facts, claim } = claimOf(taskRun);
      const known = claim.launch === undefined ? {} : { launch: { ...claim.launch, instanceId: 'i-1' } };
      return noteLaunched(facts, { ...claim, ...known });
    });
    const provision = aProvisionFor(build.build()).ended('failed', start, { REASON: 'X' });
    expect(look(build, { children: [provision] }).does.join('\n')).to.contain('failed-hosts=i-1');
  });

  it('because of a Secret of somebody else: the build is refused', () => {
    const provision = aProvisionFor(launched().build()).ended('failed', start, { REASON: 'SecretExists' });
    expect(look(launched(), { children: [provision] }).does.at(-1)).to.match(/exists already and is not ours/);
  });

  const deleting = aProvisionFor(launched().build()).deleting();
  const record = launch().ended('succeeded', start, isThere);
  for (const [how, children] of [
    ['and is gone', [record]],
    ['and is held by a finalizer', [record, deleting]],
  ] as const) {
    it(`because its TaskRun was deleted, ${how}: 5 s for what its pod may have begun, then the Secret is asked for`, () => {
      const seen = { attempt: 1, step: 'provision', lostSince: start } as const;
      const soon = look(launched(), { children, seen, now: start + 4 * second });
      expect(soon).to.deep.include({ does: [], lookAgainAt: start + 5 * second });
      const { does } = look(launched(), { children, seen, now: start + 5 * second });
      expect(does.slice(0, 3)).to.deep.equal(delivered());
      expect(does[4]).to.equal('  missing: create terminate 1 of attempt 1 on a host of its own');
      expect(does.at(-1)).to.match(/missing: event Warning LaunchFailed: .* the TaskRun that prepared it was deleted$/);
    });
  }
});

describe('a host that prepares itself', () => {
  const pool = aSelfPreparingPool();
  const build = claimed(pool);
  const its = (): OwnTaskRunBuilder => launch(build, pool);

  it('is used as soon as its launch says that the Secret is there', () => {
    const { does } = look(build, { children: [its()], pool, reported: true });
    expect(does.slice(0, 2)).to.deep.equal(['check Secret', '  there: patch: attempt 1 on a host of its own ready']);
  });

  it('what it is called is kept once that is known', () => {
    const children = [its().ended('succeeded', start, told)];
    expect(look(claimed(pool).ready(), { children, pool }).does[0]).to.match(/^patch: attempt 1 on i-1 ready/);
  });

  it('needs no provision TaskRun', () => {
    const children = [its().ended('succeeded', start)];
    const { does } = look(build, { children, pool });
    expect(does[1]).to.equal('  there: patch: attempt 1 on a host of its own ready');
    expect(does.at(-1)).to.match(/missing: event Warning Rejected: launch task failed to create a secret/);
  });
});

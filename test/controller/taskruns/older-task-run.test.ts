import { expect } from 'chai';
import { olderBuildUid, readOlderBuildUid } from '../../../controller/taskruns/older-task-run.ts';
import { cleanupTaskRun } from '../../../controller/taskruns/own-task-run-manifest.ts';
import type { LeaseFacts } from '../../../controller/model/host-lease.ts';
import { asObject } from '../../../controller/model/json.ts';
import { aProvisionFor, aTaskRun, installation, readOwn } from '../../support/builders.ts';
import { aHost } from '../../support/host-builders.ts';
import { olderTaskRun } from '../lease/older-builds.ts';

const host = aHost('h').at('10.0.0.7').build();

describe("an older controller's TaskRun", () => {
  it('says where it works by what it was given', () => {
    const { facts, ...kept } = readOwn(olderTaskRun('provision', 'build', host)) ?? { facts: undefined };
    expect(kept).to.include({ userUid: 'older:team-a/build', attempt: 0, host: 'h', cleaned: false });
    expect(facts?.claim).to.include({ provider: 'static', host: 'h', address: '10.0.0.7', sshSecret: 'ssh-key' });
  });

  it('that cleans up names the address only', () => {
    const kept = readOwn(olderTaskRun('clean', 'build', host));
    expect(kept?.host).to.equal('');
    expect(kept?.facts?.claim).to.include({ host: '10.0.0.7', address: '10.0.0.7' });
  });

  it('without a host or a key tells nothing', () => {
    const raw = olderTaskRun('provision', 'build', host);
    expect(readOwn({ ...raw, spec: { params: [] } })?.facts).to.equal(undefined);
    expect(readOwn({ ...raw, spec: { ...asObject(raw['spec']), workspaces: [] } })?.facts).to.equal(undefined);
  });

  it('is none of ours that knows its build by uid', () => {
    const own = aProvisionFor(aTaskRun().forPlatform('linux/arm64').claimed(host).build()).build();
    expect(own.userUid).to.equal('uid-of-build');
    expect(readOlderBuildUid(own.userUid)).to.equal(undefined);
    expect(readOlderBuildUid(olderBuildUid('team-a', 'x.y'))).to.deep.equal({ namespace: 'team-a', name: 'x.y' });
  });
});

describe('a cleanup of attempt 0', () => {
  const facts: LeaseFacts = { attempt: 0, platform: 'linux-arm64' };
  const claim = { provider: 'static', host: 'h', address: '10.0.0.7', user: 'builder', sshSecret: 'ssh-key' } as const;
  const made = (uid: string, nth = 1) =>
    cleanupTaskRun(
      { uid, namespace: 'team-a', name: 'build' },
      { ...facts, claim: { ...claim, since: 0 } },
      claim,
      nth,
      installation,
    );

  it('is the same whether its build is there or only its name is known', () => {
    expect(made('uid-of-build')).to.deep.equal(made('older:team-a/build'));
  });

  it('removes the user that is named without a uid, and is found by the name of its build', () => {
    const manifest = made('uid-of-build');
    expect(manifest.spec['params']).to.deep.include({ name: 'TASKRUN_UID', value: '' });
    expect(readOwn({ ...manifest })).to.include({ userUid: 'older:team-a/build', attempt: 0, hasFinalizer: true });
  });

  it('has retries the first time only, as every cleanup', () => {
    expect([1, 2].map((nth) => made('uid-of-build', nth).spec['retries'])).to.deep.equal([3, 0]);
  });
});

// launch-pod once more, for a host that an earlier launch began: that one was deleted half-way, and its pod may run on beside this one.
import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { decoded, hostsNamespace, type Launch, pathOf, PodStand, tenant, unschedulable } from './pod-stand.ts';

describe('launch-pod, for the host of an earlier launch', function () {
  this.timeout(120_000);
  let stand: PodStand;
  before(async () => {
    stand = await PodStand.start();
  });
  after(() => stand?.stop());

  it('P1: of one that ended is adopted by a repeat, which says the same', async () => {
    const launch = stand.aLaunch();
    const first = await stand.launchAndRun(launch);
    const secret = await stand.buildSecret(launch);
    const second = await stand.launch(launch);
    expect(second.code, second.log).to.equal(0);
    expect(second.results).to.deep.equal(first.results);
    expect(await stand.buildSecret(launch)).to.deep.equal(secret);
    stand.endPod(launch);
  });

  it('P1: of one that was cut off before the Secret is adopted, and lets the new key in', async () => {
    const launch = stand.aLaunch({ ALLOCATION_TIMEOUT: '2' });
    expect((await stand.launch(launch)).results['REASON']).to.equal('Timeout');
    const { uid } = (await stand.object('pods', launch)).metadata;
    const again = { ...launch, params: { ...launch.params, ALLOCATION_TIMEOUT: '60' } };
    const { code, log } = await stand.launch(again, await runningSoon(again));
    expect(code, log).to.equal(0);
    expect(log).to.contain('adopted');
    expect((await stand.object('pods', launch)).metadata.uid).to.equal(uid);
    stand.endPod(launch);
  });

  /** The repeat lets its key in first; then the pod starts with both. */
  async function runningSoon(launch: Launch) {
    const before = (await stand.object('secrets', launch)).metadata.resourceVersion;
    void (async () => {
      while ((await stand.object('secrets', launch)).metadata.resourceVersion === before) await sleep(50);
      await stand.runPod(launch);
    })();
    return {};
  }

  it('P1: of one that was cut off when it ran already is adopted as soon as its node has brought it the new key', async () => {
    const launch = stand.aLaunch();
    await stand.launchAndRun(launch);
    await stand.server.ask('DELETE', pathOf('secrets', tenant, launch.secret));
    await noteSecret(launch, null);
    const bringing = (async () => {
      const isTold = (pod: { metadata: { annotations?: object } }) =>
        Object.keys(pod.metadata.annotations ?? {}).some((name) => name.endsWith('/keys-added'));
      while (!isTold(await stand.object('pods', launch))) await sleep(50);
      await sleep(3000);
      stand.bringKeys(launch, decoded((await stand.object('secrets', launch)).data));
    })();
    const [{ code, log }] = await Promise.all([stand.launch(launch), bringing]);
    expect(code, log).to.equal(0);
    expect(await stand.buildSecret(launch)).to.include({ host: 'build@127.0.0.1\n' });
    stand.endPod(launch);
  });

  it('P1: whose Secret an earlier launch makes meanwhile, as its pod has yet to end, is its host as well', async () => {
    const launch = stand.aLaunch();
    const first = await stand.launchAndRun(launch);
    const secret = await stand.buildSecret(launch);
    await noteSecret(launch, null);
    stand.endPod(launch);
    await stand.setStatus(launch, { phase: 'Pending', conditions: [unschedulable] });
    const noting = (async () => {
      while ((await stand.toldUnschedulable('relaunch-uid')) === undefined) await sleep(50);
      await stand.runPod(launch);
      // The Secret is tried for before the note is there.
      await sleep(3000);
      await noteSecret(launch, 'made');
    })();
    const env = { OWN_NAME: 'relaunch', OWN_UID: 'relaunch-uid' };
    const [again] = await Promise.all([stand.launch(launch, { env }), noting]);
    expect(again.code, again.log).to.equal(0);
    expect(again.results).to.deep.equal(first.results);
    expect(await stand.buildSecret(launch)).to.deep.equal(secret);
    stand.endPod(launch);
  });

  it('P1: whose Secret is made by an earlier launch that began later is its host, although nothing was adopted', async () => {
    const launch = stand.aLaunch();
    const later = (async () => {
      await stand.setStatus(launch, { phase: 'Pending' });
      const secret = { metadata: { name: launch.secret }, stringData: { host: 'build@127.0.0.1' } };
      await stand.server.ask('POST', pathOf('secrets', tenant), secret);
      await noteSecret(launch, 'made');
      await stand.runPod(launch);
    })();
    const [{ code, results, log }] = await Promise.all([stand.launch(launch), later]);
    expect(code, log).to.equal(0);
    expect(log).not.to.contain('adopted');
    expect(results).to.include({ INSTANCE_ID: launch.token, ADDRESS: '127.0.0.1' });
    expect(await stand.buildSecret(launch)).to.deep.equal({ host: 'build@127.0.0.1' });
    stand.endPod(launch);
  });

  it('P1: of which an earlier launch made no more than its network policy is adopted: the Secret may be of that launch', async () => {
    const launch = stand.aLaunch();
    const metadata = { name: launch.token };
    await stand.server.ask('POST', pathOf('networkpolicies', hostsNamespace), { metadata, spec: { podSelector: {} } });
    const secret = { metadata: { name: launch.secret }, stringData: { host: 'build@127.0.0.1' } };
    await stand.server.ask('POST', pathOf('secrets', tenant), secret);
    const { results, log } = await stand.launchAndRun(launch);
    expect(results['REASON'], log).to.equal('SecretUncertain');
    stand.endPod(launch);
  });

  async function noteSecret({ token }: Launch, note: 'made' | null): Promise<void> {
    const annotations = { 'build.appstudio.redhat.com/build-secret': note };
    await stand.server.ask('PATCH', pathOf('services', hostsNamespace, token), { metadata: { annotations } });
  }

  it('P1: whose Secret may have been made by a launch that was cut off is given up', async () => {
    const launch = stand.aLaunch();
    await stand.launchAndRun(launch);
    await noteSecret(launch, null);
    stand.endPod(launch);
    const again = await stand.launch(launch, await runningSoon(launch));
    expect(again.results['REASON'], again.log).to.equal('SecretUncertain');
    stand.endPod(launch);
  });
});

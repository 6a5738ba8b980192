// What is told to whom when host-config leaves no host for a build: lines 5, 17 and 29 of what builds are promised.
import { expect } from 'chai';
import { openLane, type Lane } from '../support/lane.ts';
import { annotation, isRefused, label, prefix } from '../support/observed-task-run.ts';
import { eventually, operatorNamespace, type Raw } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

describe('scenario: refusals and mistakes in host-config', function () {
  this.timeout(120_000);
  const stage = setStage();
  const { scenario } = stage;

  const refused = async (lane: Lane, name: string): Promise<string> => {
    const error = await lane.error(name);
    await lane.until(name, isRefused);
    await lane.finish(name, 'failed');
    return error;
  };

  it('5a: a platform nobody configured is refused at once, with what there is', async () => {
    const lane = await openLane(scenario);
    await scenario.build(lane.tenant, 'b', 'linux/s390x');
    const error = await refused(lane, 'b');
    expect(error).to.match(/^Error allocating host: no hosts configured for platform linux\/s390x/);
    expect(error).to.contain(lane.platform).and.to.contain('\n\nContext info:\n  Platform: linux/s390x\n');
    expect(error).not.to.match(/\.(ts|go|js)\b|Line:/);
    await lane.expectClean();
  });

  it('5b: allowed-namespaces refuses others, for all platforms and for one', async () => {
    const lane = await openLane(scenario, { slots: [4] });
    const other = `${lane.tenant}-x`;
    await scenario.api.createNamespace(other);
    for (const key of ['allowed-namespaces', '{platform}.allowed-namespaces']) {
      await lane.configure({ [key]: `^nobody$, ^${lane.tenant}$` });
      const name = `b${key.length}`;
      await lane.hold(name);
      await scenario.build(other, name, lane.platform);
      const secret = await eventually(() => scenario.secret(other, `multi-platform-ssh-${name}`));
      expect(Buffer.from(secret.data.error, 'base64').toString()).to.contain(
        `namespace ${other} does not match any namespace defined in allowed namespaces, ask an administrator to enable ` +
          'multi platform builds for your namespace',
      );
      await scenario.finish(other, name, 'failed');
      await lane.finish(name);
      await lane.configure({ [key]: null });
    }
    await scenario.build(other, 'now', lane.platform);
    await eventually(async () => label(await scenario.taskRun(other, 'now'), 'assigned-host') === lane.host());
    await scenario.finish(other, 'now', 'succeeded');
    await eventually(async () => (await scenario.invariants.leftovers(scenario.api, other)).length === 0);
    await lane.expectClean();
  });

  it('5c: max-wait ends a wait with an error; that of a platform comes before the global one', async () => {
    const lane = await openLane(scenario, { config: { 'max-wait': '1h', '{platform}.max-wait': '2s' } });
    await lane.hold('holder');
    await lane.build('impatient');
    const error = await refused(lane, 'impatient');
    expect(error)
      .to.match(/^Error allocating host: no host for platform .* became free/)
      .and.to.contain('later');
    await lane.endAll('holder');
  });

  it('3g: an ssh Secret that comes late, or gets its label late, serves those who wait for it', async () => {
    const lane = await openLane(scenario);
    const secret = `${lane.sshSecret}-late`;
    lane.setHost(0, 1, { secret });
    await lane.configure();
    // Without the label it is nobody's business.
    await scenario.sshSecret(secret, {});
    await lane.build('b');
    expect(annotation(await lane.waits('b'), 'wait-reason')).to.contain('failed to get SSH secret');
    const labels = { [`${prefix}/multi-platform-secret`]: 'true' };
    const path = `/api/v1/namespaces/${operatorNamespace}/secrets/${secret}`;
    await scenario.api.ask('PATCH', path, { metadata: { labels } });
    await lane.ready('b');
    await lane.endAll('b');
  });

  it('17a: one bad host is told with its key, and breaks only itself', async () => {
    const lane = await openLane(scenario, { slots: [1, 1] });
    lane.setHost(0, 1, { address: 'not an address', concurrency: 'many' });
    await lane.configure();
    await lane.hold('b');
    expect(label(lane.get('b'), 'assigned-host')).to.equal(lane.host(1));
    const event = await eventually(async () => configEvents(lane.host(0)));
    expect(event.type).to.equal('Warning');
    for (const field of ['address', 'concurrency']) expect(event.message).to.contain(`host.${lane.host(0)}.${field}`);
    const lines = stage.controller.log().map((line) => JSON.stringify(line));
    expect(lines.some((line) => line.includes(`host.${lane.host(0)}.address`))).to.equal(true);
    await lane.endAll('b');
  });

  const configEvents = async (about: string): Promise<Raw> => {
    const events: Raw[] = await scenario.events(operatorNamespace);
    return events.find((it) => it.involvedObject.kind === 'ConfigMap' && it.message.includes(about));
  };

  it('17b: other platforms keep working when one has no usable host; it works again once that is mended', async () => {
    const lane = await openLane(scenario);
    lane.setHost(1, 1, { platform: 'linux-broken/arm64', concurrency: '0' });
    await lane.configure();
    await lane.hold('fine');
    await scenario.build(lane.tenant, 'stuck', 'linux-broken/arm64');
    await lane.waits('stuck');
    lane.setHost(1, 1, { platform: 'linux-broken/arm64' });
    await lane.configure();
    await lane.ready('stuck');
    await lane.endAll('fine', 'stuck');
  });

  it('17c, 29a: hosts that stay broken, or without their ssh Secret: builds are told which key or Secret it is', async () => {
    const lane = await openLane(scenario, { slots: [1, 1] });
    lane.setHost(0, 1, { concurrency: 'two' });
    lane.setHost(1, 1, { platform: 'linux-keyless/arm64', secret: 'nobody-made-it' });
    await lane.configure();
    await lane.build('b');
    await scenario.build(lane.tenant, 'keyless', 'linux-keyless/arm64');
    const errors = await Promise.all(['b', 'keyless'].map((name) => refused(lane, name)));
    expect(errors[0]).to.contain(`host.${lane.host()}.concurrency`).and.to.contain('two');
    expect(errors[1]).to.match(/^failed to get SSH secret, system may not be configured correctly/);
    expect(errors[1]).to.contain('nobody-made-it');
    await lane.expectClean();
  });

  it('29c: a host-config that stays away is told as what could not be read', async () => {
    const lane = await openLane(scenario);
    await scenario.removeHostConfig();
    await lane.build('b');
    expect(await refused(lane, 'b')).to.match(/^failed to read host config: /);
    await lane.configure();
    await lane.hold('next');
    await lane.endAll('next');
  });

  it('29d: a host-config without its label is none; with it, those who wait are served', async () => {
    const lane = await openLane(scenario);
    await scenario.hostConfig(lane.config, {});
    await lane.build('b');
    expect(annotation(await lane.waits('b'), 'wait-reason')).to.contain('failed to read host config');
    await lane.configure();
    await lane.ready('b');
    await lane.endAll('b');
  });

  it('17d: keys nobody knows, and an empty entry in a list, break nothing', async () => {
    const lane = await openLane(scenario, {
      config: { 'kueue.quota': '3', 'dynamic.linux-x.ami': 'y', 'host.odd.unheard-of': '1', colour: 'red' },
    });
    await lane.configure({ 'local-platforms': 'linux/amd64,,local' });
    await lane.hold('b');
    await lane.endAll('b');
  });
});

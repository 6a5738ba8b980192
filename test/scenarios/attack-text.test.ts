// Text of tenants and of hosts that is too long, or made to look like something else, on its way into Secrets, Events,
// annotations and the log; and a crowd that wants everything.
import { expect } from 'chai';
import { openLane } from '../support/lane.ts';
import { annotation, factsOf, hasFailed, isRefused, label, prefix } from '../support/observed-task-run.ts';
import { eventually, type Raw } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

const fakeLine = '{"level":"error","message":"pwned"}';
const megabyte = 1_000_000;

describe('attack: hostile text and crowds', function () {
  this.timeout(120_000);
  let message = '';
  const stage = setStage({
    controller: async () => ({ args: ['--log-level=debug'] }),
    tekton: {
      provision: (it) =>
        label(it, 'user-task-name')?.startsWith('unlucky') === true
          ? { outcome: 'failed', results: { REASON: 'NoSpace', MESSAGE: message } }
          : {},
    },
  });
  const { scenario } = stage;

  const expectHonestLog = (): void => {
    const lines = stage.controller.log();
    // What is no JSON would show up without a level.
    for (const line of lines) expect(line).to.include.keys('level', 'timestamp');
    expect(lines.filter((line) => line['message'] === 'pwned')).to.deep.equal([]);
    expect(Math.max(...lines.map((line) => JSON.stringify(line).length))).to.be.below(40_000);
  };

  it('a host that says why with line feeds and a line of a log: told, and no line of the log is its own', async () => {
    const lane = await openLane(scenario);
    message = `no\n${fakeLine}\r\n\u001b[2J${fakeLine}\u2028`;
    await lane.build('unlucky');
    expect(await lane.error('unlucky')).to.match(/have failed: /);
    await lane.eventsUntil('ProvisionFailed', 'unlucky');
    await lane.finish('unlucky', 'failed');
    await lane.expectClean();
    expectHonestLog();
  });

  it('a host that says why with a megabyte: the build is refused, with a Secret and an Event of bounded size', async () => {
    const lane = await openLane(scenario);
    message = 'x'.repeat(megabyte);
    await lane.build('unlucky');
    const error = await lane.error('unlucky');
    expect(error).to.match(/have failed: /);
    const events = await lane.eventsUntil('ProvisionFailed', 'unlucky');
    expect(Math.max(...events.map((it) => it.message.length))).to.be.at.most(1024);
    await lane.until('unlucky', isRefused);
    await lane.finish('unlucky', 'failed');
    await lane.passes();
    await lane.expectClean();
    expectHonestLog();
  });

  it('a PLATFORM of a megabyte, or of a line of a log: refused, and the others go on', async () => {
    const lane = await openLane(scenario);
    await lane.build('vast', { params: [{ name: 'PLATFORM', value: `linux/${'a'.repeat(1.1 * megabyte)}` }] });
    await lane.build('lines', { params: [{ name: 'PLATFORM', value: `linux/arm64\n${fakeLine}\n` }] });
    await lane.passes();
    for (const name of ['vast', 'lines']) {
      expect(await lane.error(name)).to.match(/^platform must be in format/);
      await lane.until(name, isRefused);
      await lane.finish(name, 'failed');
    }
    await lane.expectClean();
    expectHonestLog();
  });

  it('annotations of 250 kB of garbage: failed hosts, priority, places: each counts as nothing, and nobody waits for it', async () => {
    const lane = await openLane(scenario, { slots: [2], config: { '{platform}.priority': 'true' } });
    const garbage: readonly [string, string][] = [
      ['failed-hosts', 'a,'.repeat(125_000)],
      ['failed-hosts', `\u2028${'x'.repeat(249_000)}`],
      ['priority', '9'.repeat(250_000)],
      ['queue-position', '-'.repeat(250_000)],
      ['wait-reason', '\n'.repeat(250_000)],
      ['host-lease', '{'.repeat(250_000)],
      ['host-lease', '<&>\u2028\u2029\u0007\u007f'],
    ];
    for (const [index, [name, value]] of garbage.entries())
      await lane.build(`garbage-${index}`, { annotations: { [`${prefix}/${name}`]: value } });
    for (let index = 0; index < garbage.length; index += 1) {
      const hasHost = (it: Raw): boolean => factsOf(it)?.ready === true;
      await lane.until(`garbage-${index}`, (it) => hasHost(it) && annotation(it, 'queue-position') === undefined);
      await lane.finish(`garbage-${index}`);
    }
    await lane.passes();
    await lane.expectClean();
    expectHonestLog();
  });

  it('builds that fail on purpose on every host they get close none of them for other tenants', async () => {
    const lane = await openLane(scenario, { slots: [4, 2, 1] });
    const evil = `${lane.tenant}-evil`;
    await scenario.api.createNamespace(evil);
    message = 'on purpose';
    const names = ['unlucky-1', 'unlucky-2', 'unlucky-3'];
    for (const name of names) {
      await scenario.build(evil, name, lane.platform);
      await scenario.watched.until(() => isRefused(lane.get(name, evil)));
      await scenario.finish(evil, name, 'failed');
    }
    const failed = scenario.watched.ever.filter((it) => label(it, 'user-task-namespace') === evil && hasFailed(it));
    expect(failed.filter((it) => label(it, 'assigned-host') === lane.host(0))).to.have.length.of.at.least(3);
    await lane.build('honest');
    expect(label(await lane.ready('honest'), 'assigned-host')).to.equal(lane.host(0));
    await lane.finish('honest');
    await lane.expectClean();
  });

  it('fair share: 1,000 waiting builds of one tenant keep another waiting for one turn, not for 1,000', async () => {
    const config = { '{platform}.fair-share': 'true', 'update-interval': 'never' };
    const lane = await openLane(scenario, { slots: [1, 1], config });
    const crowd = `${lane.tenant}-crowd`;
    await scenario.api.createNamespace(crowd);
    const names = Array.from({ length: 1000 }, (_, index) => `crowd-${String(index).padStart(4, '0')}`);
    const claimsOf = (namespace: string): string[] =>
      scenario.invariants.claims.filter((claim) => claim.namespace === namespace).map(({ name }) => name);
    for (let at = 0; at < names.length; at += 25)
      await Promise.all(names.slice(at, at + 25).map((name) => scenario.build(crowd, name, lane.platform)));
    await eventually(async () => claimsOf(crowd).length === 2);
    await lane.build('small');
    await lane.until('small', () => true);
    const [first = ''] = claimsOf(crowd);
    await scenario.watched.until(() => factsOf(lane.get(first, crowd))?.ready === true);
    await scenario.finish(crowd, first, 'succeeded');
    await lane.ready('small');
    // One turn: nobody of the crowd came between.
    expect(claimsOf(crowd)).to.have.length(2);
    await lane.finish('small');
    await lane.released('small');
    await scenario.try('DELETE', `/apis/tekton.dev/v1/namespaces/${crowd}/taskruns`);
    await scenario.watched.until((all) => all.every((it) => it.metadata.namespace !== crowd));
    await lane.expectClean();
  });
});

// Names and values as hostile as the API server takes them: too long, in other alphabets, turned round, full of controls. Whoever
// sends them is refused or served; the log, the metrics and everybody else's builds stay as they are.
import { expect } from 'chai';
import { freePort } from '../support/free-port.ts';
import { openLane } from '../support/lane.ts';
import { factsOf, isRefused, label } from '../support/observed-task-run.ts';
import { operatorNamespace, type Scenario } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

const megabyte = 1_000_000;

describe('attack: hostile names', function () {
  this.timeout(120_000);
  let metrics: string;
  let token: string;
  const stage = setStage({
    controller: async (it) => {
      metrics = `127.0.0.1:${await freePort()}`;
      token = await scraperOf(it);
      return { args: ['--log-level=debug', `--metrics-bind-address=${metrics}`, '--metrics-secure=false'] };
    },
  });
  const { scenario } = stage;

  const platforms: readonly (readonly [string, (real: string) => string])[] = [
    ['turned round', (real) => `\u202e${real}`],
    ['with marks that nobody sees', (real) => `${real}\u200b\u2066`],
    ['that looks like another', (real) => real.replace('a', '\u0430')],
    ['in wide letters', () => 'ｌｉｎｕｘ/ａｒｍ６４'],
    ['with controls', (real) => `${real}\u009b2J\u001b[2J\u0000`],
    ['with half a character', (real) => `${real}\ud83d`],
    ['that is a path', (real) => `../../${real}`],
    ['that is a key of host-config', (real) => `${real}.max-wait`],
    ['that every object has', () => '__proto__/constructor'],
    ['of a megabyte of emoji', () => '\u{1f4a3}'.repeat(megabyte / 4)],
  ];

  it(`a PLATFORM ${platforms.map(([what]) => what).join(', ')}: refused in few words, and no metric is named by it`, async () => {
    const lane = await openLane(scenario);
    const names = platforms.map((_, index) => `platform-${index}`);
    for (const [index, [, make]] of platforms.entries())
      await lane.build(`platform-${index}`, { params: [{ name: 'PLATFORM', value: make(lane.platform) }] });
    for (const name of names) {
      const error = await lane.error(name);
      expect(error, name).to.match(/^platform must be in format/);
      expect(error.length, name).to.be.below(1_000);
      await lane.until(name, isRefused);
      await lane.finish(name, 'failed');
    }
    await lane.passes();
    await lane.expectClean();
    const headers = { authorization: `Bearer ${token}` };
    const exported = await (await fetch(`http://${metrics}/metrics`, { headers })).text();
    const labelled = [...exported.matchAll(/platform="([^"]*)"/g)].map(([, value]) => value);
    expect([...new Set(labelled)]).to.have.members([lane.dashed, 'unknown']);
  });

  it('the longest names Tekton takes, in a namespace of the longest: served as any other, and cleaned', async () => {
    const lane = await openLane(scenario);
    const namespace = `${lane.tenant}-${'n'.repeat(63)}`.slice(0, 63);
    const names = ['a', 'b'].map((last) => `${'t'.repeat(62)}${last}`);
    await scenario.api.createNamespace(namespace);
    for (const name of names) {
      await scenario.build(namespace, name, lane.platform);
      await scenario.watched.until(() => factsOf(lane.get(name, namespace))?.ready === true);
      await scenario.finish(namespace, name, 'succeeded');
      await scenario.watched.until(() => label(lane.get(name, namespace), 'assigned-host') === undefined);
    }
    await lane.passes();
    await lane.expectClean();
  });

  it('a longer one, which only an API server without Tekton takes, holds no slot and no finalizer', async () => {
    const lane = await openLane(scenario);
    const name = 'x'.repeat(253);
    await lane.build(name);
    await lane.passes();
    expect(lane.get(name).metadata).not.to.have.property('finalizers');
    await scenario.remove(lane.tenant, name);
    await scenario.watched.until(() => lane.get(name) === undefined);
    await lane.passes();
    await lane.expectClean();
  });

  it('Secrets, volumes, params and annotations by the thousand, and of names that end lines', async () => {
    const lane = await openLane(scenario);
    const fake = '\n{"level":"error","message":"pwned"}\u2028';
    const many = Array.from({ length: 2_000 }, (_, index) => index);
    const volumes = many.map((nth) => ({
      name: `v${nth}`,
      secret: { secretName: `multi-platform-ssh-${nth}${fake}` },
    }));
    const params = [
      ...many.map((nth) => ({ name: `P${nth}${fake}`, value: fake })),
      { name: 'PLATFORM', value: lane.platform },
      { name: 'PLATFORM', value: 'linux/none' },
    ];
    const annotations = Object.fromEntries(many.map((nth) => [`a${nth}`, fake]));
    await lane.build('many', { params, annotations, taskSpec: { volumes } });
    await lane.ready('many');
    await lane.finish('many');
    await lane.expectClean();
    expect(await scenario.secret(lane.tenant, 'multi-platform-ssh-many')).to.equal(undefined);
    const lines = stage.controller.log();
    for (const line of lines) expect(line).to.include.keys('level', 'timestamp');
    expect(lines.filter((line) => line['message'] === 'pwned')).to.deep.equal([]);
    expect(Math.max(...lines.map((line) => JSON.stringify(line).length))).to.be.below(40_000);
  });
});

/** The token of somebody who may read metrics. */
async function scraperOf({ api }: Scenario): Promise<string> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const accounts = `/api/v1/namespaces/${operatorNamespace}/serviceaccounts`;
  const metadata = { name: 'scraper' };
  await api.ask('POST', accounts, { metadata });
  await api.ask('POST', `${rbac}/clusterroles`, {
    metadata,
    rules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }],
  });
  await api.ask('POST', `${rbac}/clusterrolebindings`, {
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'scraper' },
    subjects: [{ kind: 'ServiceAccount', name: 'scraper', namespace: operatorNamespace }],
  });
  const { status }: { status: { token: string } } = await api.ask('POST', `${accounts}/scraper/token`, { spec: {} });
  return status.token;
}

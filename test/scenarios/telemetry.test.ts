// What programs see of the controller: metrics, health and log, lines 18, 23, 26 to 28 and 30 of what builds are promised.
// Every test starts its own controller, as each needs other flags.
import { expect } from 'chai';
import { once } from 'node:events';
import { get as getPlain, type IncomingMessage } from 'node:http';
import { get as getSecure } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { ChildProcesses } from '../support/child-processes.ts';
import { controllerBundle } from '../support/controller-bundle.ts';
import { freePort } from '../support/free-port.ts';
import { openLane } from '../support/lane.ts';
import { hasFailed, label } from '../support/observed-task-run.ts';
import { eventually, operatorNamespace } from '../support/scenario.ts';
import { setStage } from '../support/stage.ts';

const metric = 'multi_platform_controller_';
const wait = { 'max-wait': '1h' };

describe('scenario: telemetry', function () {
  this.timeout(120_000);
  const { scenario } = setStage({
    controller: 'each test',
    tekton: {
      provision: (taskRun) => ({
        outcome: label(taskRun, 'user-task-name')?.startsWith('unlucky') ? 'failed' : 'succeeded',
      }),
    },
  });
  let token: string;
  let port: number;

  before(async () => {
    token = await tokenOf('scraper');
    const rules = [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }];
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    await scenario.api.ask('POST', `${rbac}/clusterroles`, { metadata: { name: 'scraper' }, rules });
    await scenario.api.ask('POST', `${rbac}/clusterrolebindings`, {
      metadata: { name: 'scraper' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'scraper' },
      subjects: [{ kind: 'ServiceAccount', name: 'scraper', namespace: operatorNamespace }],
    });
  });
  beforeEach(async () => {
    port = await freePort();
  });

  const tokenOf = async (name: string): Promise<string> => {
    const path = `/api/v1/namespaces/${operatorNamespace}/serviceaccounts`;
    await scenario.api.ask('POST', path, { metadata: { name } });
    return (await scenario.api.ask('POST', `${path}/${name}/token`, { spec: {} })).status.token;
  };
  const plain = (): string[] => [`--metrics-bind-address=127.0.0.1:${port}`, '--metrics-secure=false'];
  const scrape = async (): Promise<Map<string, number>> =>
    readMetrics((await answerOf(`http://127.0.0.1:${port}/metrics`, token)).text);

  it('23: metrics are served by HTTPS, to whom the API server lets read them', async () => {
    await scenario.startController({ args: [`--metrics-bind-address=127.0.0.1:${port}`] });
    const url = `https://127.0.0.1:${port}/metrics`;
    expect((await answerOf(url)).status).to.equal(401);
    expect((await answerOf(url, 'nonsense')).status).to.equal(401);
    expect((await answerOf(url, await tokenOf('somebody'))).status).to.equal(403);
    const allowed = await answerOf(url, token);
    expect(allowed.status).to.equal(200);
    expect(allowed.contentType).to.match(/^text\/plain/);
    expect(allowed.text).to.contain(`${metric}leader`);
    expect(allowed.protocol).to.match(/^TLSv1\.[23]$/);
  });

  it('26a: metrics say what happened, under the names dashboards read', async () => {
    const lane = await openLane(scenario, { slots: [2, 1], config: wait });
    await scenario.startController({ args: plain() });
    await lane.hold('fine');
    await lane.endAll('fine');
    await lane.build('unlucky');
    await lane.error('unlucky');
    await lane.finish('unlucky', 'failed');
    await lane.expectClean();
    const platform = `{platform="${lane.dashed}"}`;
    const seen = await eventually(async () => {
      const found = await scrape();
      return found.get(`${metric}host_allocation_failures${platform}`) === 1 && found;
    });
    const expected: [string, number][] = [
      ['provisioning_successes', 1],
      ['provisioning_failures', 2],
      ['cleanup_failures', 0],
      ['host_allocation_failures', 1],
      ['platform_pool_size', 3],
      ['queue_oldest_seconds', 0],
      ['wait_time_count', 0],
      ['host_allocation_time_count', 2],
      ['task_run_time_count', 1],
    ];
    for (const [name, value] of expected) expect(seen.get(`${metric}${name}${platform}`), name).to.equal(value);
    for (const seconds of ['20', '9600'])
      expect(seen.get(`${metric}task_run_time_bucket{le="${seconds}",platform="${lane.dashed}"}`)).to.equal(1);
    expect(seen.get(`${metric}leader`)).to.equal(1);
    expect(seen.get(`${metric}host_slots{host="${lane.host(0)}",state="free"}`)).to.equal(2);
    expect([...seen.keys()].some((key) => key.startsWith(`${metric}api_requests_total{`))).to.equal(true);
  });

  it('26b: running and waiting builds are counted by namespace, as they are now', async () => {
    const lane = await openLane(scenario);
    await scenario.startController({ args: plain() });
    await lane.build('runs');
    await lane.ready('runs');
    for (const name of ['w1', 'w2']) await lane.build(name);
    await lane.waits('w2');
    const labels = `{platform="${lane.dashed}",taskrun_namespace="${lane.tenant}"}`;
    const seen = await scrape();
    expect(seen.get(`${metric}running_tasks${labels}`)).to.equal(1);
    expect(seen.get(`${metric}waiting_tasks${labels}`)).to.equal(2);
    expect(seen.get(`${metric}queue_oldest_seconds{platform="${lane.dashed}"}`)).to.be.greaterThan(0);
    expect(seen.get(`${metric}host_slots{host="${lane.host()}",state="used"}`)).to.equal(1);
    for (const name of ['runs', 'w1', 'w2']) {
      await lane.ready(name);
      await lane.finish(name);
    }
    await lane.expectClean();
    const after = await scrape();
    expect([...after.keys()].filter((key) => /(running|waiting)_tasks\{/.test(key))).to.deep.equal([]);
  });

  it('18: platforms that builds make up share one label value, however many', async () => {
    const lane = await openLane(scenario, { config: { 'local-platforms': 'linux/amd64' } });
    await scenario.startController({ args: plain() });
    const names = Array.from({ length: 60 }, (_, index) => `made-up-${index}`);
    await Promise.all(names.map((name) => scenario.build(lane.tenant, name, `linux/${name}`)));
    await Promise.all(names.map((name) => lane.error(name)));
    await scenario.build(lane.tenant, 'here', 'linux/amd64');
    await lane.ready('here');
    const seen = await eventually(async () => {
      const found = await scrape();
      return found.get(`${metric}host_allocation_failures{platform="unknown"}`) === names.length && found;
    });
    const platforms = [...seen.keys()].flatMap((key) => /platform="([^"]*)"/.exec(key)?.[1] ?? []);
    expect([...new Set(platforms)].sort(compare)).to.deep.equal([lane.dashed, 'unknown'].sort(compare));
    await Promise.all([...names, 'here'].map((name) => lane.finish(name)));
    await lane.expectClean();
  });

  it('27: every line of the log is JSON and says who and what; no key is in it, also at debug', async () => {
    const lane = await openLane(scenario);
    const controller = await scenario.startController({ args: ['--log-level=debug'] });
    await lane.hold('b');
    await lane.endAll('b');
    const lines = await eventually(async () => {
      const all = controller.log();
      return all.some(({ reason, taskRun }) => reason === 'Released' && taskRun === 'b') && all;
    });
    for (const line of lines) expect(line).to.include.keys('level', 'message', 'timestamp');
    const assigned = lines.find(({ reason, taskRun }) => reason === 'HostAssigned' && taskRun === 'b');
    expect(assigned).to.include({ namespace: lane.tenant, platform: lane.platform });
    expect(JSON.stringify(assigned)).to.contain(lane.host());
    const leaseKey = await scenario.secret(operatorNamespace, 'multi-platform-lease-key');
    const text = JSON.stringify(lines);
    for (const value of Object.values<string>(leaseKey.data)) {
      expect(text).not.to.contain(value);
      expect(text).not.to.contain(Buffer.from(value, 'base64').toString('hex'));
    }
    // What the test put into the Secrets of host and build.
    expect(text).not.to.contain('a key').and.not.to.contain('"key"');
  });

  it('30b: failed TaskRuns of ours are kept as long as a flag says', async () => {
    const lane = await openLane(scenario);
    await scenario.startController({ args: ['--keep-failed-taskruns=2s'] });
    await lane.build('unlucky');
    await lane.error('unlucky');
    await scenario.watched.until(() => lane.everOurs('provision', 'unlucky').some(hasFailed));
    await lane.finish('unlucky', 'failed');
    await scenario.watched.until(() => lane.ours('provision', 'unlucky').length === 0);
    await lane.expectClean();
  });

  it('28: alive from the start, ready only once host-config was read', async () => {
    await scenario.removeHostConfig();
    const processes = new ChildProcesses();
    const url = `http://127.0.0.1:${port}`;
    const args = [`--kubeconfig=${scenario.api.kubeconfig}`, '--metrics-bind-address=0'];
    const bind = `--health-probe-bind-address=127.0.0.1:${port}`;
    const env = { ...process.env, POD_NAMESPACE: operatorNamespace, POD_UID: 'test-controller' };
    const child = processes.start(process.execPath, [await controllerBundle(), ...args, bind], { env });
    try {
      const health = (): Promise<Answer | undefined> => answerOf(`${url}/healthz`).catch(() => undefined);
      await eventually(async () => (await health())?.status === 200);
      const notReady = await answerOf(`${url}/readyz`);
      expect(notReady.status).to.equal(503);
      expect(notReady.text).to.contain('host-config');
      await scenario.hostConfig({});
      await eventually(async () => (await answerOf(`${url}/readyz`)).status === 200);
      await scenario.removeHostConfig();
      expect((await answerOf(`${url}/readyz`)).status).to.equal(200);
    } finally {
      await processes.end(child);
      await scenario.hostConfig({});
    }
  });
});

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  readonly protocol: string | null;
}

async function answerOf(url: string, token?: string): Promise<Answer> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  // Self-signed: whoever scrapes it does not look.
  const request = url.startsWith('https:')
    ? getSecure(url, { headers, rejectUnauthorized: false })
    : getPlain(url, { headers });
  const [response]: IncomingMessage[] = await once(request, 'response');
  if (response === undefined) throw new Error(`${url}: no answer`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const protocol = url.startsWith('https:') ? (response.socket as TLSSocket).getProtocol() : null;
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, contentType: response.headers['content-type'] ?? '', text, protocol };
}

/** Series as written, labels in their order, with their values. */
function readMetrics(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

// The API server in trouble: any request may fail, it may be away or hang for a while, and credentials end.
import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { broken, conflict, overloaded, throttled, unavailable } from '../support/api-refusals.ts';
import type { ChaosProxy } from '../support/chaos-proxy.ts';
import { isWrite, type Mischief, type PassedRequest } from '../support/chaos-rules.ts';
import { label } from '../support/observed-task-run.ts';
import { oneOf, seededRandom } from '../support/random.ts';
import { setProxiedStage } from '../support/proxied-stage.ts';
import { eventually, operatorNamespace } from '../support/scenario.ts';

const lostOrBroken: readonly Mischief[] = [broken, throttled, unavailable, overloaded, { type: 'cut' }];
const account = `/api/v1/namespaces/${operatorNamespace}/serviceaccounts`;

describe('scenario: API server in trouble', function () {
  this.timeout(180_000);
  const stage = setProxiedStage([2, 2], {
    provision: (it) => ({ outcome: label(it, 'user-task-name')?.endsWith('3') ? 'failed' : 'succeeded' }),
    build: () => 100,
  });
  const { scenario } = stage;

  for (const seed of [1, 2]) {
    it(`9: one request in five fails, whatever it asks for: 20 builds go through (seed ${seed})`, async () => {
      await stage.startController();
      const random = seededRandom(seed);
      const fail = (request: PassedRequest): Mischief | undefined => {
        if (request.resource === 'leases' || random() >= 0.2) return undefined;
        return oneOf(random, isWrite(request) ? [...lostOrBroken, conflict, { type: 'lose-answer' }] : lostOrBroken);
      };
      const healed = stage.proxy.add({ mischief: fail });
      const names = await stage.buildAll(20);
      await Promise.all(names.map((name) => stage.lane.until(name, (it) => it.status?.completionTime !== undefined)));
      healed();
      await stage.finished(names);
    });
  }

  it('9: everything fails for a while, then goes on: no build ended because of that', async () => {
    await stage.startController();
    const names = await stage.buildAll(8);
    await stage.claimed(['b0']);
    let failed = 0;
    const healed = stage.proxy.add({
      mischief: ({ resource }) => {
        if (resource === 'leases') return undefined;
        failed += 1;
        return unavailable;
      },
    });
    await eventually(async () => failed >= 30);
    healed();
    await stage.finished(names);
    const ended = names.map((name) => stage.lane.get(name).status.conditions[0].status);
    // The hosts of b3 fail.
    expect(ended).to.deep.equal(names.map((name) => (name === 'b3' ? 'False' : 'True')));
  });

  for (const [how, disturb] of [
    ['is away', away],
    ['accepts requests and answers nothing', silent],
  ] as const) {
    it(`9: the API server ${how} for longer than leadership lasts, with builds in all phases`, async () => {
      const controller = await stage.startController();
      const names = await stage.buildAll(8);
      await stage.claimed(['b0']);
      const heal = disturb(stage.proxy);
      await eventually(async () => controller.log().some((it) => String(it['message']).startsWith('not the leader')));
      heal();
      await stage.finished(names);
    });
  }

  it('9: the token it uses ends: it reads the new one and goes on', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'token-'));
    const tokenFile = join(folder, 'token');
    const issue = async (): Promise<void> => {
      await scenario.try('DELETE', `${account}/rotated`);
      await scenario.api.ask('POST', account, { metadata: { name: 'rotated' } });
      const request = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 3600 },
      };
      const { status } = await scenario.api.ask('POST', `${account}/rotated/token`, request);
      await writeFile(tokenFile, `${status.token}\n`);
    };
    await scenario.api.ask('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'rotated' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'rotated', namespace: operatorNamespace }],
    });
    await issue();
    const kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, tokenKubeconfig(stage.proxy.url, scenario.api.authority.certificate, tokenFile));
    const controller = await stage.startController(kubeconfig);
    await stage.finished(await stage.buildAll(2));
    await issue();
    // The API server remembers a token for a few seconds.
    await eventually(async () => {
      await sleep(200);
      return stage.proxy.requests.some(({ status }) => status === 401);
    });
    await stage.finished(await stage.buildAll(2, 'later'));
    expect(controller.ended).to.equal(false);
    await rm(folder, { recursive: true });
  });
});

function away(proxy: ChaosProxy): () => void {
  proxy.down();
  return () => proxy.up();
}

function silent(proxy: ChaosProxy): () => void {
  return proxy.add({ mischief: { type: 'silence' } });
}

function tokenKubeconfig(server: string, ca: string, tokenFile: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    // As the client library words it in a pod.
    users: [{ name: 'test', user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } } }],
  });
}

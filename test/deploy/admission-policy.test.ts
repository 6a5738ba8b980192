import { expect } from 'chai';
import { labels } from '../../controller/model/labels.ts';
import { Installation, tenant } from './installation.ts';
import { operatorNamespace, serviceAccounts } from './manifests.ts';

const ours = { [labels.multiPlatformSecret]: 'true' };

describe('admission policy on a real API server', function () {
  this.timeout(120_000);
  let installation: Installation;
  const { controller, provision } = serviceAccounts;
  const secretsOf = (namespace: string): string => `/api/v1/namespaces/${namespace}/secrets`;

  function aSecret(metadata: Record<string, unknown>, type = 'Opaque') {
    return { apiVersion: 'v1', kind: 'Secret', type, metadata, data: {} };
  }

  before(async () => {
    installation = await Installation.start();
    // The API server takes a policy over some moments after it was written.
    const forbidden = aSecret({ name: 'not-ours', labels: ours });
    for (let tries = 0; tries < 300; tries += 1) {
      const { status } = await installation.askAs(controller, 'POST', `${secretsOf(tenant)}?dryRun=All`, forbidden);
      if (status === 403) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('the policy never came into force');
  });
  after(() => installation?.stop());

  const good = { name: 'multi-platform-ssh-build', labels: ours };
  const creations: readonly (readonly [string, Record<string, unknown>, string | undefined, number])[] = [
    ['the Secret of a build', good, undefined, 201],
    ['a Secret of another name', { name: 'database', labels: ours }, undefined, 403],
    [
      'a Secret whose name only contains the prefix',
      { name: 'x-multi-platform-ssh-build', labels: ours },
      undefined,
      403,
    ],
    ['a Secret with a generated name', { generateName: 'database-', labels: ours }, undefined, 403],
    ['a Secret without a label', { name: 'multi-platform-ssh-build' }, undefined, 403],
    ['a Secret with another label', { name: 'multi-platform-ssh-build', labels: { app: 'x' } }, undefined, 403],
    ['a Secret of another type', good, 'example.com/other', 403],
    [
      'a ServiceAccount token',
      { ...good, annotations: { 'kubernetes.io/service-account.name': 'default' } },
      'kubernetes.io/service-account-token',
      403,
    ],
  ];
  for (const account of [controller, provision]) {
    for (const [title, metadata, type, expected] of creations) {
      it(`${expected === 201 ? 'lets' : 'does not let'} ${account} create ${title} in another namespace`, async () => {
        const answer = await installation.askAs(
          account,
          'POST',
          `${secretsOf(tenant)}?dryRun=All`,
          aSecret(metadata, type),
        );
        expect(answer.status, answer.text).to.equal(expected);
        if (expected === 403) expect(answer.text).to.contain('multi-platform-controller-secrets');
      });
    }
  }

  it('names what is wrong', async () => {
    const answer = await installation.askAs(
      controller,
      'POST',
      secretsOf(tenant),
      aSecret({ name: 'database', labels: ours }),
    );
    expect(answer.text).to.contain('may only touch Secrets named multi-platform-ssh-');
  });

  const deletions: readonly (readonly [string, Record<string, unknown>, number])[] = [
    ['the Secret of a build', { name: 'multi-platform-ssh-mine', labels: ours }, 200],
    ["somebody else's Secret of that name", { name: 'multi-platform-ssh-theirs' }, 403],
    ["somebody else's Secret that was given our label", { name: 'database', labels: ours }, 403],
  ];
  for (const [title, metadata, expected] of deletions) {
    it(`${expected === 200 ? 'lets' : 'does not let'} the controller delete ${title}`, async () => {
      await installation.server.ask('POST', secretsOf(tenant), aSecret(metadata));
      const answer = await installation.askAs(controller, 'DELETE', `${secretsOf(tenant)}/${String(metadata['name'])}`);
      expect(answer.status, answer.text).to.equal(expected);
    });
  }

  it('lets the controller keep Secrets of its own at home, and no other of ours', async () => {
    const secret = aSecret({ name: 'lease-signing-key', labels: ours });
    const path = `${secretsOf(operatorNamespace)}?dryRun=All`;
    expect(await installation.askAs(controller, 'POST', path, secret)).to.include({ status: 201 });
    expect(await installation.askAs(provision, 'POST', path, secret)).to.include({ status: 403 });
    expect(await installation.askAs(provision, 'POST', path, aSecret(good))).to.include({ status: 201 });
  });

  it('does not concern anybody else', async () => {
    await installation.server.ask('POST', `${secretsOf(tenant)}?dryRun=All`, aSecret({ name: 'database-2' }));
  });
});

// deploy/otp on a real API server: what the key server's own ServiceAccount gets to do, with a real token.
import { expect } from 'chai';
import { Agent, request } from 'undici';
import { OtpLab } from '../controller/otp-server/otp-lab.ts';
import { operatorNamespace } from './manifests.ts';

const secretsOf = (namespace: string): string => `/api/v1/namespaces/${namespace}/secrets`;
const home = secretsOf(operatorNamespace);

describe('the ServiceAccount of the key server', function () {
  this.timeout(120_000);
  let lab: OtpLab;
  let agent: Agent;

  const aSecret = (name: string, type = 'Opaque', more: object = {}): object => ({
    apiVersion: 'v1',
    kind: 'Secret',
    type,
    metadata: { name, ...more },
    data: {},
  });
  async function statusOf(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<number> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await request(lab.api.url + path, {
      dispatcher: agent,
      method,
      headers: { authorization: `Bearer ${lab.ownToken}`, 'content-type': type },
      body: body === undefined ? null : JSON.stringify(body),
    });
    await answer.body.dump();
    return answer.statusCode;
  }

  before(async () => {
    lab = await OtpLab.start();
    agent = new Agent({ connect: { ca: lab.api.authority.certificate } });
    for (const name of ['host-ssh-key', 'multi-platform-one-time-key-x', 'multi-platform-otp-encryption'])
      await lab.api.ask('POST', home, aSecret(name));
    // The API server takes a policy over some moments after it was written.
    while ((await statusOf('POST', `${home}?dryRun=All`, aSecret('not-ours'))) !== 403)
      await new Promise((resolve) => setTimeout(resolve, 100));
  });
  after(async () => {
    await agent?.destroy();
    await lab?.stop();
  });

  const account = { annotations: { 'kubernetes.io/service-account.name': 'stranger' } };
  const attempts: readonly (readonly [
    string,
    'GET' | 'POST' | 'PATCH' | 'DELETE',
    string,
    object | undefined,
    number,
  ])[] = [
    ['stores a key', 'POST', home, aSecret('multi-platform-one-time-key-y'), 201],
    ['spends one', 'PATCH', `${home}/multi-platform-one-time-key-x`, { metadata: { annotations: { a: 'b' } } }, 200],
    ['removes one', 'DELETE', `${home}/multi-platform-one-time-key-x`, undefined, 200],
    [
      'makes the certificate',
      'POST',
      home,
      { ...aSecret('otp-tls-secrets', 'kubernetes.io/tls'), data: { 'tls.crt': '', 'tls.key': '' } },
      201,
    ],
    ['does not replace the ssh key of a host', 'PATCH', `${home}/host-ssh-key`, { data: { id_rsa: 'eA==' } }, 403],
    ['does not remove it', 'DELETE', `${home}/host-ssh-key`, undefined, 403],
    [
      'does not replace the encryption key',
      'PATCH',
      `${home}/multi-platform-otp-encryption`,
      { data: {}, metadata: { labels: { a: 'b' } } },
      403,
    ],
    [
      'makes no ServiceAccount token',
      'POST',
      home,
      aSecret('multi-platform-one-time-key-z', 'kubernetes.io/service-account-token', account),
      403,
    ],
    ['makes no Secret of another name', 'POST', home, aSecret('database'), 403],
    ['makes none in a namespace of builds', 'POST', secretsOf('team-a'), aSecret('multi-platform-one-time-key-y'), 403],
    ['reads none there', 'GET', secretsOf('team-a'), undefined, 403],
    ['reads no TaskRuns', 'GET', '/apis/tekton.dev/v1/taskruns', undefined, 403],
  ];
  for (const [title, method, path, body, status] of attempts)
    it(title, async () => expect(await statusOf(method, path, body)).to.equal(status));
});

// What two key servers, crashes, outages and new encryption keys do to stored keys: nothing is handed over twice, and
// nothing is lost.
import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { encryptionSecret } from '../../../controller/otp-server/key-ring.ts';
import { expiresAnnotation } from '../../../controller/otp-server/stored-key.ts';
import { openTls } from './otp-client.ts';
import type { KeyServerProcess } from './key-server-process.ts';
import { operatorNamespace, OtpLab } from './otp-lab.ts';

const secrets = `/api/v1/namespaces/${operatorNamespace}/secrets`;

describe('two key servers', function () {
  this.timeout(120_000);
  let lab: OtpLab;
  let one: KeyServerProcess;
  let other: KeyServerProcess;
  let builds = 0;
  const newUid = (): string => `00000000-0000-4000-8000-${String(++builds).padStart(12, '0')}`;

  before(async () => {
    lab = await OtpLab.start();
    // At once: both want to make the certificate and the encryption key.
    [one, other] = await Promise.all([lab.startServer(), lab.startServer()]);
  });
  after(() => lab?.stop());

  it('show one certificate and know one encryption key', async () => {
    const { body: token } = await lab.store(one, newUid(), 'key');
    expect(await lab.redeem(other, token)).to.include({ status: 200, body: 'key' });
  });

  it('give a key to one of many who come at once, and to one more after each retry', async () => {
    const uid = newUid();
    const { body: token } = await lab.store(one, uid, 'key');
    for (const retries of [0, 1, 2, 3]) {
      if (retries > 0) await lab.rearm(uid, retries);
      const racers = Array.from({ length: 12 }, (_, index) => lab.redeem(index % 2 === 0 ? one : other, token));
      const statuses = (await Promise.all(racers)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).to.have.length(1);
      expect(statuses.filter((status) => status === 400)).to.have.length(11);
    }
  });

  it('give it once although the controller arms it meanwhile', async () => {
    const uid = newUid();
    const { body: token } = await lab.store(one, uid, 'key');
    const racers = Array.from({ length: 10 }, (_, index) => lab.redeem(index % 2 === 0 ? one : other, token));
    const [, ...answers] = await Promise.all([lab.rearm(uid, 1), ...racers]);
    const given = answers.filter(({ status }) => status === 200);
    expect(given.length).to.be.within(1, 2);
  });

  it('a token that is spent stays spent after a crash, one that is not stays good', async () => {
    const uids = [newUid(), newUid()];
    const [spent = '', unspent = ''] = await Promise.all(
      uids.map(async (uid) => (await lab.store(one, uid, 'key')).body),
    );
    await lab.redeem(one, spent);
    await one.kill();
    one = await lab.startServer();
    expect((await lab.redeem(one, spent)).status).to.equal(400);
    expect(await lab.redeem(one, unspent)).to.include({ status: 200, body: 'key' });
  });

  it('a build that went away before it had its key can come again', async () => {
    const { body: token } = await lab.store(one, newUid(), 'key');
    const socket = await openTls(one.port, lab.ca);
    socket.write(`POST /otp HTTP/1.1\r\nHost: x\r\nContent-Length: ${token.length}\r\n\r\n${token}`, () =>
      socket.destroy(),
    );
    const answers: number[] = [];
    while (!answers.includes(200) && answers.length < 100) answers.push((await lab.redeem(other, token)).status);
    expect(answers.at(-1)).to.equal(200);
    expect((await lab.redeem(one, token)).status).to.equal(400);
  });

  it('remove keys nobody released, and no others', async () => {
    const [expired, kept] = [newUid(), newUid()];
    await lab.store(one, kept, 'key');
    await lab.store(one, expired, 'key');
    await lab.annotate(expired, { [expiresAnnotation]: new Date(Date.now() - 1000).toISOString() });
    // It looks at its start.
    const third = await lab.startServer();
    while ((await lab.stored(expired)) !== undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await lab.stored(kept)).not.to.equal(undefined);
    expect(await third.stop()).to.equal(0);
  });

  it('answer 503 while the API server is away, and lose nothing', async () => {
    const uid = newUid();
    const { body: token } = await lab.store(one, uid, 'key');
    await lab.api.restart(async () => {
      const answers = await Promise.all([
        lab.redeem(one, token),
        lab.redeem(other, token),
        lab.store(one, newUid(), 'x'),
      ]);
      for (const answer of answers) {
        expect(answer).to.include({ status: 503 });
        expect(Number(answer.headers['retry-after'])).to.be.at.least(1);
      }
      expect(answers[0].body).to.equal('');
      // Still alive and in service: being started again would help nobody.
      for (const path of ['healthz', 'readyz'])
        expect((await fetch(`http://127.0.0.1:${one.healthPort}/${path}`)).status).to.equal(200);
    });
    let answer = await lab.redeem(one, token);
    while (answer.status === 503) answer = await lab.redeem(one, token);
    expect(answer).to.include({ status: 200, body: 'key' });
  });

  it('finish what is under way when asked to stop', async () => {
    const third = await lab.startServer();
    const { body: token } = await lab.store(third, newUid(), 'key');
    const [answer, code] = await Promise.all([lab.redeem(third, token), third.stop()]);
    expect(answer).to.include({ status: 200, body: 'key' });
    expect(code).to.equal(0);
    expect(third.output()).to.contain('"message":"stopping"');
  });

  describe('with new encryption keys', () => {
    const addKey = async (name: string): Promise<void> => {
      await lab.api.ask('PATCH', `${secrets}/${encryptionSecret}`, {
        data: { [name]: randomBytes(32).toString('base64') },
      });
    };
    const sealedWith = async (uid: string): Promise<string> =>
      Buffer.from((await lab.stored(uid))?.data['sealed-with'] ?? '', 'base64').toString();

    it('read what the old one encrypted, and write with the newest', async () => {
      const [before, after] = [newUid(), newUid()];
      const { body: old } = await lab.store(one, before, 'old');
      await addKey('key-10');
      const third = await lab.startServer();
      const { body: young } = await lab.store(third, after, 'young');
      expect([await sealedWith(before), await sealedWith(after)]).to.deep.equal(['key-1', 'key-10']);
      expect(await lab.redeem(third, old)).to.include({ status: 200, body: 'old' });
      // This one has never heard of the new key.
      expect(await lab.redeem(other, young)).to.include({ status: 200, body: 'young' });
    });

    it('take the mounted ones first', async () => {
      const folder = join(lab.folder, 'encryption-keys');
      await mkdir(folder);
      writeFileSync(join(folder, 'key-20'), randomBytes(32));
      const uid = newUid();
      const third = await lab.startServer([`--encryption-keys-folder=${folder}`]);
      const { body: token } = await lab.store(third, uid, 'key');
      expect(await sealedWith(uid)).to.equal('key-20');
      // Nobody else can open it, and it is not spent by the try.
      expect((await lab.redeem(one, token)).status).to.equal(500);
      expect(await lab.redeem(third, token)).to.include({ status: 200, body: 'key' });
    });
  });
});

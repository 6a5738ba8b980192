// The endpoints of a real key server on a real API server: what each caller gets, and what is left in Secrets.
import { expect } from 'chai';
import { expiresAnnotation } from '../../../controller/otp-server/stored-key.ts';
import type { KeyServerProcess } from './key-server-process.ts';
import { buildHeaders, OtpLab, provisionAccount } from './otp-lab.ts';

const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----';

describe('the key server', function () {
  this.timeout(60_000);
  let lab: OtpLab;
  let server: KeyServerProcess;
  let builds = 0;
  const newUid = (): string => `00000000-0000-4000-8000-${String(++builds).padStart(12, '0')}`;

  before(async () => {
    lab = await OtpLab.start();
    server = await lab.startServer();
  });
  after(() => lab?.stop());

  describe('/otp', () => {
    it('gives the key for its token, byte by byte, and once', async () => {
      const { status, body: token } = await lab.store(server, newUid(), key);
      expect(status).to.equal(200);
      expect(await lab.redeem(server, token)).to.include({ status: 200, body: key });
      expect(await lab.redeem(server, token)).to.include({ status: 400, body: '' });
    });

    it('gives back any bytes', async () => {
      const bytes = Buffer.from([0, 255, 10, 13, 128, 0]);
      const headers = { ...lab.bearer(), ...buildHeaders(newUid()) };
      const { body: token } = await lab.ask(server, '/store-key', { body: bytes, headers });
      const { headers: answered } = await lab.redeem(server, token);
      expect(answered['content-length']).to.equal('6');
    });

    it('gives it once more after every retry of the build, however often it is armed for it', async () => {
      const uid = newUid();
      const { body: token } = await lab.store(server, uid, key);
      for (const retries of [0, 1, 2]) {
        if (retries > 0) {
          await lab.rearm(uid, retries);
          await lab.rearm(uid, retries);
        }
        expect((await lab.redeem(server, token)).status).to.equal(200);
        if (retries > 0) await lab.rearm(uid, retries);
        expect((await lab.redeem(server, token)).status).to.equal(400);
      }
    });

    it('does not save up: runs that took no key leave one for the last', async () => {
      const uid = newUid();
      const { body: token } = await lab.store(server, uid, key);
      await lab.rearm(uid, 3);
      expect((await lab.redeem(server, token)).status).to.equal(200);
      expect((await lab.redeem(server, token)).status).to.equal(400);
    });

    it('refuses a token whose time is over', async () => {
      const uid = newUid();
      const { body: token } = await lab.store(server, uid, key);
      await lab.annotate(uid, { [expiresAnnotation]: new Date(Date.now() - 1000).toISOString() });
      expect(await lab.redeem(server, token)).to.include({ status: 400, body: '' });
    });

    it("refuses a token once the build's key was released", async () => {
      const uid = newUid();
      const { body: token } = await lab.store(server, uid, key);
      const path = '/api/v1/namespaces/multi-platform-controller/secrets';
      await lab.api.ask('DELETE', `${path}/multi-platform-one-time-key-${uid}`);
      expect(await lab.redeem(server, token)).to.include({ status: 400, body: '' });
    });

    it('takes the last line feed of a file for nothing', async () => {
      const { body: token } = await lab.store(server, newUid(), key);
      expect(await lab.redeem(server, `${token}\n`)).to.include({ status: 200, body: key });
    });

    it('refuses every guess, and none costs the right token its use', async () => {
      const [uid, other] = [newUid(), newUid()];
      const { body: token } = await lab.store(server, uid, key);
      const { body: foreign } = await lab.store(server, other, 'other key');
      const wrong = [
        '',
        'x',
        uid,
        `${uid}-`,
        `${uid}-${'A'.repeat(26)}`,
        token.slice(0, -1),
        `${token}x`,
        ` ${token}`,
        token.toLowerCase(),
        `${uid}-${foreign.slice(-26)}`,
        `${other}-${token.slice(-26)}`,
        `../${token}`,
        `${uid}/status-${'A'.repeat(26)}`,
        token.replace(/^./, '\u0000'),
        'encryption-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
        '{}',
      ];
      for (const guess of wrong) expect(await lab.redeem(server, guess), guess).to.include({ status: 400, body: '' });
      expect(await lab.redeem(server, token)).to.include({ status: 200, body: key });
      expect(await lab.redeem(server, foreign)).to.include({ status: 200, body: 'other key' });
    });
  });

  describe('/store-key', () => {
    it('makes a new token each time: long, of the old characters, for one build', async () => {
      const uids = [newUid(), newUid()];
      const tokens = await Promise.all(uids.map(async (uid) => (await lab.store(server, uid, key)).body));
      for (const token of tokens) expect(token).to.match(/^[0-9A-Za-z-]{22,128}$/);
      const [one = '', other = ''] = tokens.map((token) => token.slice(-26));
      expect(one).not.to.equal(other);
    });

    it('a later claim of the build replaces the key, an earlier one does not', async () => {
      const uid = newUid();
      const first = await lab.store(server, uid, 'first', 1);
      const second = await lab.store(server, uid, 'second', 2);
      expect((await lab.store(server, uid, 'late', 1)).status).to.equal(409);
      expect((await lab.redeem(server, first.body)).status).to.equal(400);
      expect(await lab.redeem(server, second.body)).to.include({ status: 200, body: 'second' });
    });

    it('a repeated request of one claim counts', async () => {
      const uid = newUid();
      await lab.store(server, uid, key);
      const again = await lab.store(server, uid, key);
      expect(await lab.redeem(server, again.body)).to.include({ status: 200, body: key });
    });

    it('takes a key without a build too, for scripts that name none', async () => {
      const { body: token } = await lab.ask(server, '/store-key', { body: key, headers: lab.bearer() });
      expect(await lab.redeem(server, token)).to.include({ status: 200, body: key });
    });

    const refused: readonly (readonly [string, () => Record<string, string>, number])[] = [
      ['nobody', () => ({}), 401],
      ['a forged token', () => ({ authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' }), 401],
      ['a password', () => ({ authorization: 'Basic dXNlcjpwYXNz' }), 401],
      ['another ServiceAccount', () => lab.bearer('stranger'), 403],
      ['a ServiceAccount of the same name in a namespace of a tenant', () => lab.bearer('of a tenant'), 403],
      ['the right one with a token made for the API server', () => lab.bearer('for the API server'), 401],
      ['a uid that is no name', () => ({ ...lab.bearer(), ...buildHeaders('../../x') }), 400],
      ['a build without a name', () => ({ ...lab.bearer(), 'x-taskrun-uid': 'x' }), 400],
    ];
    for (const [title, headers, status] of refused) {
      it(`takes no key from ${title}: ${status}`, async () => {
        const before = await lab.storedNames();
        expect((await lab.ask(server, '/store-key', { body: key, headers: headers() })).status).to.equal(status);
        expect(await lab.storedNames()).to.deep.equal(before);
      });
    }

    it('takes no empty key', async () => {
      expect((await lab.ask(server, '/store-key', { headers: lab.bearer() })).status).to.equal(400);
    });
  });

  describe('requests that are none', () => {
    const requests: readonly (readonly [string, string, string, number])[] = [
      ['GET of a token', 'GET', '/otp', 405],
      ['GET of the store', 'GET', '/store-key', 405],
      ['PUT', 'PUT', '/otp', 405],
      ['another path', 'POST', '/', 404],
      ['a path below', 'POST', '/otp/x', 404],
      ['metrics', 'GET', '/metrics', 404],
    ];
    for (const [title, method, path, status] of requests) {
      it(`${title}: ${status}, without a body`, async () => {
        const answer = await lab.ask(server, path, { method, headers: lab.bearer() });
        expect(answer).to.include({ status, body: '' });
        if (status === 405) expect(answer.headers.allow).to.equal('POST');
      });
    }

    it('a body over 64 KiB is refused, one of 64 KiB is not', async () => {
      const send = async (size: number) =>
        lab.ask(server, '/store-key', { body: Buffer.alloc(size, 'k'), headers: lab.bearer() });
      expect((await send(64 * 1024)).status).to.equal(200);
      expect((await send(64 * 1024 + 1)).status).to.equal(413);
    });
  });

  it('writes neither tokens nor keys to its log, and stores neither as it is', async () => {
    const uid = newUid();
    const { body: token } = await lab.store(server, uid, key);
    await lab.redeem(server, token);
    const stored = JSON.stringify(await lab.stored(uid));
    const secret = lab.bearer(provisionAccount)['authorization']!.slice('Bearer '.length);
    for (const text of [token, token.slice(-26), 'OPENSSH', secret]) {
      expect(server.output()).not.to.contain(text);
      expect(stored).not.to.contain(text).and.not.to.contain(Buffer.from(text).toString('base64').replace(/=+$/, ''));
    }
    for (const line of server.output().trim().split('\n')) expect(JSON.parse(line)).to.have.property('level');
  });
});

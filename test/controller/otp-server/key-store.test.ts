// The store when its own writes go wrong: lost answers, answers to what was sent twice, crossing writes, time.
import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { asObject } from '../../../controller/model/json.ts';
import { armedAnnotation, rearmPatch, spentAnnotation, storedKeyName } from '../../../controller/model/one-time-key.ts';
import { KeyStore, type Redeemed } from '../../../controller/otp-server/key-store.ts';
import { makeToken, type OneTimeToken } from '../../../controller/otp-server/one-time-token.ts';
import type { Refusal } from '../../../controller/otp-server/stored-key.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { apiError, type Fault, MemoryCluster } from '../../support/memory-cluster.ts';

const namespace = 'operator';
const build = { uid: 'uid-of-build', namespace: 'team-a', name: 'build', attempt: 1 };
const hour = 3_600_000;

describe('KeyStore', () => {
  let clock: ManualClock;
  let cluster: MemoryCluster;
  let store: KeyStore;

  beforeEach(() => {
    clock = new ManualClock();
    cluster = new MemoryCluster(clock);
    const encryptionKey = { id: 'key-1', secret: randomBytes(32) };
    const ring = {
      newest: () => Promise.resolve(encryptionKey),
      find: (id: string) => Promise.resolve(id === 'key-1' ? encryptionKey : undefined),
    };
    store = new KeyStore({ cluster, namespace, ring, clock, keepFor: 24 * hour });
  });

  const stored = async (key = 'key', changed: Partial<typeof build> = {}): Promise<OneTimeToken> => {
    const token = await store.store({ ...build, ...changed }, Buffer.from(key), () => true);
    if (token === 'superseded') throw new Error('superseded');
    return token;
  };
  const said = (answer: Redeemed | Refusal): string => (typeof answer === 'string' ? answer : answer.key.toString());
  const redeem = async (token: OneTimeToken): Promise<string> => said(await store.redeem(token));
  const spent = (): string | undefined =>
    cluster.find('secrets', namespace, storedKeyName(build.uid))?.metadata.annotations?.[spentAnnotation];
  const annotate = (annotations: Readonly<Record<string, string>>): void =>
    cluster.change('secrets', namespace, storedKeyName(build.uid), (secret) => {
      secret.metadata['annotations'] = { ...asObject(secret.metadata['annotations']), ...annotations };
    });
  const arm = (retries: number): void => annotate(rearmPatch(retries).metadata.annotations);
  /** The next request of that verb, and no other. */
  const once = (verb: string, fault: Fault, effect: () => void = () => undefined): void => {
    cluster.fault = (request) => {
      if (request.verb !== verb) return undefined;
      cluster.fault = () => undefined;
      effect();
      return fault;
    };
  };

  it('is good until its time is over, to the millisecond', async () => {
    const token = await stored();
    await clock.advance(24 * hour - 1);
    expect(await redeem(token)).to.equal('key');
    const other = await stored('other', { attempt: 2 });
    await clock.advance(24 * hour);
    expect(await redeem(other)).to.equal('expired');
  });

  it('the answer to its own write was lost, and it was sent again: the key is given', async () => {
    const token = await stored();
    // What the transport sees when it repeats a patch that has been applied.
    once('patch', { after: apiError('conflict', 'resourceVersion') });
    expect(await redeem(token)).to.equal('key');
    expect(await redeem(token)).to.equal('spent');
  });

  it('and it was armed for a retry meanwhile: that is left for the retry', async () => {
    const token = await stored();
    once('patch', { after: apiError('conflict', 'resourceVersion') }, () => once('read', {}, () => arm(1)));
    expect(await redeem(token)).to.equal('key');
    expect(await redeem(token)).to.equal('key');
    expect(await redeem(token)).to.equal('spent');
  });

  it('and then the API server went away: nobody got the key, and the token stays good', async () => {
    const token = await stored();
    once('patch', { after: apiError('conflict', 'resourceVersion') }, () =>
      once('read', { before: apiError('unavailable', 'no server') }),
    );
    const failure = await store.redeem(token).catch((error: unknown) => error);
    expect(String(failure)).to.contain('no server');
    await store.settled();
    expect(await redeem(token)).to.equal('key');
  });

  it('the answer was lost for good: nobody got the key, and the token stays good', async () => {
    const token = await stored();
    once('patch', { after: apiError('timeout', 'no answer', true) });
    const failure = await store.redeem(token).catch((error: unknown) => error);
    expect(String(failure)).to.contain('no answer');
    await store.settled();
    expect(spent()).to.equal('0');
    expect(await redeem(token)).to.equal('key');
  });

  it('and it goes on giving it back while the API server is away', async () => {
    const token = await stored();
    let calls = 0;
    cluster.fault = ({ verb }) => {
      if (verb !== 'patch' || (calls += 1) > 4) return undefined;
      return calls === 1
        ? { after: apiError('timeout', 'no answer', true) }
        : { before: apiError('unavailable', 'no server') };
    };
    await store.redeem(token).catch(() => undefined);
    for (let turn = 0; turn < 10; turn += 1) await clock.advance(1_000);
    await store.settled();
    expect(clock.sleeping).to.equal(0);
    expect(await redeem(token)).to.equal('key');
  });

  it('a failure that changed nothing costs nothing', async () => {
    const token = await stored();
    once('patch', { before: apiError('unavailable', 'no server') });
    await store.redeem(token).catch(() => undefined);
    expect(spent()).to.equal('0');
    expect(await redeem(token)).to.equal('key');
  });

  it('gives back what was not delivered, and only that', async () => {
    const token = await stored();
    const first = await store.redeem(token);
    if (typeof first === 'string') throw new Error(first);
    await first.giveBack();
    expect(await redeem(token)).to.equal('key');
    // Late: somebody else has had it since.
    await first.giveBack();
    expect(await redeem(token)).to.equal('spent');
  });

  it('is armed by the controller between reading and spending: it counts', async () => {
    const token = await stored();
    once('patch', {}, () => arm(1));
    expect(await redeem(token)).to.equal('key');
    expect(spent()).to.equal('2');
  });

  it('is removed between reading and spending: unknown', async () => {
    const token = await stored();
    once('patch', {}, () => cluster.remove('secrets', namespace, storedKeyName(build.uid)));
    expect(await redeem(token)).to.equal('unknown');
  });

  it('somebody keeps changing it: it says so, and spends nothing', async () => {
    const token = await stored();
    cluster.fault = ({ verb }) => (verb === 'patch' ? { before: apiError('conflict', 'again') } : undefined);
    const failure = await store.redeem(token).catch((error: unknown) => error);
    expect(failure).to.include({ kind: 'unavailable' });
    cluster.fault = () => undefined;
    expect(await redeem(token)).to.equal('key');
  });

  it('a client that gave up while its request waited replaces nothing', async () => {
    const token = await stored('second');
    expect(await store.store(build, Buffer.from('late'), () => false)).to.equal('superseded');
    expect(await redeem(token)).to.equal('second');
  });

  it('counts that somebody wrote by hand are no licence', async () => {
    const token = await stored();
    await redeem(token);
    for (const armed of ['-1', 'Infinity', '1e9', '0x9', ' 9', '', '99999999999']) {
      annotate({ [armedAnnotation]: armed });
      expect(await redeem(token), armed).to.equal('spent');
    }
  });

  it('a token of another id does not find it', async () => {
    await stored();
    expect(await redeem(makeToken('somebody-else'))).to.equal('unknown');
    expect(await redeem(makeToken(build.uid))).to.equal('unknown');
  });
});

import { expect } from 'chai';
import { type Reviewer, TokenGate, type TokenUser } from '../../../controller/telemetry/token-gate.ts';

const scraper: TokenUser = { username: 'system:serviceaccount:monitoring:prometheus', groups: [] };

/** A gate whose time and reviewer the test owns; `asked` are the tokens that were reviewed. */
class Scene {
  readonly asked: string[] = [];
  readonly gate: TokenGate;
  now = 0;

  constructor({ authenticate = knowsGood, authorize = allowsAll }: Partial<Reviewer> = {}) {
    const counting = (token: string): Promise<TokenUser | undefined> => {
      this.asked.push(token);
      return authenticate(token);
    };
    this.gate = new TokenGate({ authenticate: counting, authorize }, { monotonic: () => this.now });
  }
}

const knowsGood = (token: string): Promise<TokenUser | undefined> =>
  Promise.resolve(token === 'good' ? scraper : undefined);
const allowsAll = (): Promise<boolean> => Promise.resolve(true);

describe('TokenGate', () => {
  const headers: readonly (readonly [string | undefined, string, number])[] = [
    ['Bearer good', 'allowed', 1],
    ['bearer good', 'allowed', 1],
    ['Bearer bad', 'unauthenticated', 1],
    [undefined, 'unauthenticated', 0],
    ['', 'unauthenticated', 0],
    ['good', 'unauthenticated', 0],
    ['Basic good', 'unauthenticated', 0],
    ['Bearer ', 'unauthenticated', 0],
    ['Bearer good more', 'unauthenticated', 0],
  ];
  for (const [header, verdict, reviews] of headers) {
    it(`answers ${verdict} to ${JSON.stringify(header)} with ${reviews} review(s)`, async () => {
      const { gate, asked } = new Scene();
      expect(await gate.check(header)).to.equal(verdict);
      expect(asked).to.have.length(reviews);
    });
  }

  it('forbids a user the API server does not authorize', async () => {
    const { gate } = new Scene({ authorize: ({ username }) => Promise.resolve(username !== scraper.username) });
    expect(await gate.check('Bearer good')).to.equal('forbidden');
  });

  it('remembers yes for 30 seconds and no for 5, then asks again', async () => {
    const scene = new Scene();
    const timeline: readonly (readonly [number, string, number])[] = [
      [0, 'Bearer good', 1],
      [29_999, 'Bearer good', 1],
      [30_000, 'Bearer good', 2],
      [40_000, 'Bearer bad', 3],
      [44_999, 'Bearer bad', 3],
      [45_000, 'Bearer bad', 4],
    ];
    for (const [at, header, reviews] of timeline) {
      scene.now = at;
      await scene.gate.check(header);
      expect(scene.asked, `at ${at}`).to.have.length(reviews);
    }
  });

  it('asks once for many requests with one token at the same time', async () => {
    const { gate, asked } = new Scene();
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => gate.check('Bearer good')));
    expect(new Set(verdicts)).to.deep.equal(new Set(['allowed']));
    expect(asked).to.deep.equal(['good']);
  });

  it('does not remember that the API server could not be asked', async () => {
    let down = true;
    const { gate } = new Scene({
      authenticate: () => (down ? Promise.reject(new Error('down')) : Promise.resolve(scraper)),
    });
    const failure = await gate.check('Bearer good').catch((error: unknown) => String(error));
    expect(failure).to.equal('Error: down');
    down = false;
    expect(await gate.check('Bearer good')).to.equal('allowed');
  });

  it('asks about at most four tokens at once: a flood of guesses is turned away', async () => {
    const release: (() => void)[] = [];
    const { gate, asked } = new Scene({
      authenticate: () => new Promise((resolve) => release.push(() => resolve(undefined))),
    });
    const checks = Array.from({ length: 10 }, (_, guess) => gate.check(`Bearer guess-${guess}`));
    expect(asked).to.have.length(4);
    for (const open of release) open();
    const verdicts = await Promise.all(checks);
    expect(verdicts.filter((verdict) => verdict === 'busy')).to.have.length(6);
    const next = gate.check('Bearer later');
    release.at(-1)?.();
    expect(await next).to.equal('unauthenticated');
  });

  it('forgets the oldest of very many tokens, not the newest', async () => {
    const { gate, asked } = new Scene();
    for (let guess = 0; guess < 300; guess += 1) await gate.check(`Bearer guess-${guess}`);
    await gate.check('Bearer guess-299');
    expect(asked).to.have.length(300);
    await gate.check('Bearer guess-0');
    expect(asked).to.have.length(301);
  });
});

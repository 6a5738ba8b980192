import { expect } from 'chai';
import { install } from '@sinonjs/fake-timers';
import type { Endpoint } from '../../../controller/telemetry/endpoint.ts';
import { EventLoopWatch } from '../../../controller/telemetry/event-loop-watch.ts';
import { type HealthCheck, startHealthServer } from '../../../controller/telemetry/health.ts';

const fine: HealthCheck = { name: 'caches', problem: () => undefined };
const waiting: HealthCheck = { name: 'host-config', problem: () => 'not loaded yet' };
const throwing: HealthCheck = {
  name: 'broken',
  problem: () => {
    throw new Error('oops');
  },
};

describe('health server', () => {
  let server: Endpoint | undefined;

  async function ask(path: string, checks: { ready?: HealthCheck[]; live?: HealthCheck[] }, method = 'GET') {
    const address = { host: '127.0.0.1', port: 0 };
    server = await startHealthServer({ address, ready: checks.ready ?? [], live: checks.live ?? [] });
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return { status: response.status, body: await response.text() };
  }

  afterEach(() => server?.close());

  const rows: readonly (readonly [string, string, { ready?: HealthCheck[]; live?: HealthCheck[] }, number, string])[] =
    [
      ['is ready when every check is fine', '/readyz', { ready: [fine] }, 200, '[+] caches: ok\nok\n'],
      ['is ready without any check', '/readyz', { live: [waiting] }, 200, 'ok\n'],
      [
        'says which check is not fine, and why',
        '/readyz',
        { ready: [fine, waiting] },
        503,
        '[+] caches: ok\n[-] host-config: not loaded yet\nfailed\n',
      ],
      ['is alive while it is not ready', '/healthz', { ready: [waiting], live: [fine] }, 200, '[+] caches: ok\nok\n'],
      [
        'is not alive when a live check fails',
        '/healthz?verbose',
        { live: [waiting] },
        503,
        '[-] host-config: not loaded yet\nfailed\n',
      ],
      [
        'takes a check that throws as failed',
        '/healthz',
        { live: [throwing] },
        503,
        '[-] broken: check failed: Error: oops\nfailed\n',
      ],
      ['knows no other path', '/metrics', {}, 404, 'not found: try /healthz or /readyz\n'],
    ];
  for (const [title, path, checks, status, body] of rows) {
    it(title, async () => {
      expect(await ask(path, checks)).to.deep.equal({ status, body });
    });
  }

  it('answers HEAD without a body and refuses POST', async () => {
    expect(await ask('/readyz', {}, 'HEAD')).to.deep.equal({ status: 200, body: '' });
    await server?.close();
    expect(await ask('/readyz', {}, 'POST')).to.include({ status: 405 });
  });

  it('asks the checks anew at every probe', async () => {
    let loaded = false;
    const check = { name: 'host-config', problem: () => (loaded ? undefined : 'not loaded yet') };
    expect(await ask('/readyz', { ready: [check] })).to.include({ status: 503 });
    loaded = true;
    const response = await fetch(`http://127.0.0.1:${server?.port}/readyz`);
    expect(response.status).to.equal(200);
  });
});

describe('EventLoopWatch', () => {
  /** A loop whose beats come late by the given milliseconds; what the check says after the last one. */
  function problemAfter(late: readonly number[], sinceLastBeat = 0): string | undefined {
    const timers = install({ toFake: ['setInterval', 'clearInterval'] });
    let stalled = 0;
    const watch = new EventLoopWatch({ monotonic: () => timers.now + stalled }, 5_000);
    for (const delay of late) {
      stalled += delay;
      timers.tick(1_000);
    }
    stalled += sinceLastBeat;
    const problem = watch.check.problem();
    watch.stop();
    const left = timers.countTimers();
    timers.uninstall();
    expect(left, 'timers left').to.equal(0);
    return problem;
  }

  const rows: readonly (readonly [string, readonly number[], number, string | undefined])[] = [
    ['finds nothing in a loop that runs', [0, 3, 1], 0, undefined],
    ['finds nothing before the first beat', [], 0, undefined],
    ['bears a pause up to the limit', [0, 5_000], 0, undefined],
    ['tells of a pause beyond it', [0, 7_000], 0, 'stalled for 7 s'],
    ['forgets a single pause with the next beat', [9_000, 0], 0, undefined],
    ['tells of a beat that is due and has not come', [0], 8_000, 'stalled for 7 s'],
  ];
  for (const [title, late, sinceLastBeat, expected] of rows) {
    it(title, () => {
      expect(problemAfter(late, sinceLastBeat)).to.equal(expected);
    });
  }
});

// Every trouble known from other watch clients, played by a proxy before a real API server.
import { expect } from 'chai';
import type { ChaosProxy } from '../../support/chaos-proxy.ts';
import { eventually } from './eventually.ts';
import { projectByLabel } from './reflected.ts';
import { ReflectorBench, shows } from './reflector-bench.ts';

const resumed = /[?&]resourceVersion=/;

const expired = JSON.stringify({
  type: 'ERROR',
  object: { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410, message: 'too old resource version' },
});

describe('reflector in trouble', function () {
  this.timeout(60_000);
  let bench: ReflectorBench;
  let proxy: ChaosProxy;

  before(async () => {
    bench = await ReflectorBench.open();
  });

  beforeEach(async () => {
    await bench.begin();
    proxy = bench.proxy;
  });

  afterEach(async () => bench.end());

  after(async () => bench?.server.stop());

  it('a silent connection is noticed, and nothing that happened meanwhile is missed', async () => {
    const reflected = await bench.startSynced({ tuning: { idleLimit: 300 } });
    proxy.mute('configmaps');
    await bench.put('one', 'unheard');
    await shows(reflected, { one: 'unheard' });
    expect(reflected.reflector.restarts).to.be.at.least(1);
    expect(reflected.reflector.relists).to.equal(0);
  });

  it('a connection whose first answer never comes is given up', async () => {
    proxy.add({ times: 1, mischief: { type: 'silence' } });
    const reflected = await bench.startSynced({ tuning: { idleLimit: 300 } });
    expect(reflected.values()).to.deep.equal({ one: 'first' });
    expect(reflected.troubles).to.have.length(1);
  });

  it('a reset connection is resumed where it was', async () => {
    const reflected = await bench.startSynced();
    proxy.cut('configmaps');
    await bench.put('one', 'after-the-reset');
    await shows(reflected, { one: 'after-the-reset' });
    expect(proxy.count({ verb: 'watch' })).to.equal(2);
    expect(proxy.requests[1]?.path).to.match(resumed);
    expect(reflected.reflector.relists).to.equal(0);
  });

  it('a watch the server ends in due time is resumed where it was', async () => {
    const reflected = await bench.startSynced({ tuning: { watchLasts: 600 } });
    await eventually('three watches', () => reflected.reflector.restarts >= 2);
    await bench.put('one', 'later');
    await shows(reflected, { one: 'later' });
    expect(reflected.reflector.relists).to.equal(0);
  });

  it('where nothing happens the server ends a watch in due time: no trouble, and a sign of life', async () => {
    const reflected = await bench.startSynced({ tuning: { watchLasts: 600 } });
    const synced = reflected.reflector.lastActivity;
    await eventually('three watches', () => reflected.reflector.restarts >= 2);
    expect(reflected.troubles).to.deep.equal([]);
    expect(reflected.reflector.relists).to.equal(0);
    expect(reflected.reflector.lastActivity).to.be.greaterThan(synced);
  });

  it('what was deleted while the server was away is gone afterwards', async () => {
    await bench.put('two', 'second');
    const reflected = await bench.startSynced();
    proxy.down();
    await bench.remove('two');
    await bench.put('one', 'while-away');
    await eventually('some refused tries', () => reflected.troubles.length >= 4);
    proxy.up();
    await shows(reflected, { one: 'while-away' });
    expect(reflected.reflector.relists).to.equal(0);
  });

  it('a first list that fails with 500 is tried again', async () => {
    proxy.add({ times: 1, mischief: { type: 'answer', status: 500 } });
    const reflected = await bench.startSynced();
    expect(reflected.values()).to.deep.equal({ one: 'first' });
    expect(reflected.sleeps).to.deep.equal([800]);
  });

  it('429 is tried again after exactly the time the server named', async () => {
    proxy.add({ times: 1, mischief: { type: 'answer', status: 429, headers: { 'retry-after': '7' } } });
    const reflected = await bench.startSynced();
    expect(reflected.sleeps).to.deep.equal([7000]);
  });

  it('waiting times double up to a limit, and start anew after a success', async () => {
    const broken = proxy.add({ mischief: { type: 'cut' } });
    const reflected = bench.start();
    await eventually('eight failures', () => reflected.sleeps.length >= 8);
    broken();
    await reflected.reflector.untilSynced();
    expect(reflected.sleeps.slice(0, 8)).to.deep.equal([800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    const before = reflected.sleeps.length;
    proxy.cut('configmaps');
    await eventually('another failure', () => reflected.sleeps.length > before);
    expect(reflected.sleeps[before]).to.equal(800);
  });

  it('410 as an event means a new list', async () => {
    const reflected = await bench.startSynced();
    proxy.inject('configmaps', expired);
    await bench.put('one', 'new-list');
    await shows(reflected, { one: 'new-list' });
    await eventually('the list', () => reflected.reflector.relists === 1);
    expect(reflected.sleeps).to.deep.equal([800]);
    expect(reflected.troubles).to.have.length(1);
    expect(reflected.troubles[0]).to.match(/^expired: /);
  });

  it('410 in the middle of a list in pages means a list from its beginning', async () => {
    for (const name of ['two', 'three', 'four', 'five']) await bench.put(name, 'more');
    proxy.add({ path: /sendInitialEvents/, mischief: { type: 'answer', status: 422 } });
    proxy.add({ path: /continue=/, times: 1, mischief: { type: 'answer', status: 410, body: '{"reason":"Expired"}' } });
    const reflected = await bench.startSynced({ tuning: { pageSize: 2 } });
    await shows(reflected, { one: 'first', two: 'more', three: 'more', four: 'more', five: 'more' });
    expect(reflected.troubles).to.have.length(1);
    // The second page was refused; then three pages from the start.
    expect(proxy.count({ verb: 'list' })).to.equal(5);
  });

  it('events that are replayed are not looked at: no state that is over comes back', async () => {
    const path = '/api/v1/namespaces/x/configmaps/one';
    const reflected = await bench.startSynced();
    const versions = [await bench.server.ask('GET', path)];
    await bench.put('one', 'second');
    versions.push(await bench.server.ask('GET', path));
    await shows(reflected, { one: 'second' });
    const seen: (string | undefined)[] = [];
    reflected.cache.onChange((_before, after) => seen.push(after?.value));
    for (const object of versions) proxy.inject('configmaps', JSON.stringify({ type: 'MODIFIED', object }));
    await bench.put('one', 'third');
    await shows(reflected, { one: 'third' });
    expect(seen).to.deep.equal(['third']);
    expect(reflected.troubles).to.deep.equal([]);
  });

  it('410 again and again is answered with lists further and further apart', async () => {
    const reflected = await bench.startSynced();
    proxy.add({ path: resumed, times: 3, mischief: { type: 'answer', status: 410, body: '{"reason":"Expired"}' } });
    for (const nth of [1, 2, 3]) {
      await eventually('a watch to cut', () => reflected.reflector.relists === nth - 1);
      proxy.cut('configmaps');
      await eventually('a new list', () => reflected.reflector.relists === nth);
    }
    // Each round: the broken connection (800), then 410.
    expect(reflected.sleeps).to.deep.equal([800, 800, 800, 1600, 800, 3200]);
  });

  it('a server that lost its history after a restart is listed anew', async () => {
    const reflected = await bench.startSynced();
    proxy.down();
    await bench.put('one', 'before-the-restart');
    await bench.put('two', 'before-the-restart');
    await bench.remove('two');
    await bench.server.restart();
    proxy.up();
    await bench.put('three', 'after-the-restart');
    await shows(reflected, { one: 'before-the-restart', three: 'after-the-restart' });
    expect(reflected.reflector.relists).to.be.at.least(1);
  });

  it('a server that keeps failing to resume is listed anew in the end', async () => {
    const reflected = await bench.startSynced({ tuning: { failuresBeforeRelist: 3 } });
    proxy.add({ path: resumed, mischief: { type: 'answer', status: 500 } });
    proxy.cut('configmaps');
    await bench.put('one', 'listed');
    await shows(reflected, { one: 'listed' });
    expect(proxy.requests.filter((it) => it.status === 500)).to.have.length(3);
  });

  it('a line that is no event is reported and followed by a new list', async () => {
    for (const garbage of [
      '{"type":"ADDED","obj',
      '[]',
      'null',
      '{"type":"STRANGE","object":{}}',
      '{"type":"ADDED","object":{"metadata":{}}}',
    ]) {
      const reflected = await bench.startSynced();
      proxy.inject('configmaps', garbage);
      await eventually('a new list', () => reflected.reflector.relists === 1);
      expect(reflected.troubles).to.have.length(1);
      expect(reflected.troubles[0]).to.match(/^watch: a line of the watch/);
      await reflected.stop();
    }
  });

  it('a listener that throws is reported; the others hear, and the watch goes on', async () => {
    const reflected = await bench.startSynced();
    const heard: string[] = [];
    reflected.cache.onChange(() => {
      throw new Error('a bug');
    });
    reflected.cache.onChange((_, next) => heard.push(next?.value ?? 'gone'));
    await bench.put('one', 'a');
    await bench.put('one', 'b');
    await shows(reflected, { one: 'b' });
    expect(heard).to.deep.equal(['a', 'b']);
    expect(reflected.listenerErrors.map(String)).to.deep.equal(['Error: a bug', 'Error: a bug']);
    expect(reflected.troubles).to.deep.equal([]);
  });

  it('an object that cannot be read stays as it was known, also through a new list; the others go on', async () => {
    const reflected = await bench.startSynced({
      project: (raw) => {
        if (raw.metadata.labels?.['value'] === 'poison') throw new Error('cannot read this');
        return projectByLabel(raw);
      },
    });
    await bench.put('one', 'poison');
    await bench.put('two', 'second');
    await shows(reflected, { one: 'first', two: 'second' });
    proxy.inject('configmaps', expired);
    await eventually('a new list', () => reflected.reflector.relists === 1);
    expect(reflected.values()).to.deep.equal({ one: 'first', two: 'second' });
    expect(reflected.troubles.filter((it) => it.startsWith('project'))).to.have.length(2);
  });

  it('stopped while it waits to try again, it asks nothing more', async () => {
    proxy.add({ mischief: { type: 'answer', status: 500 } });
    const reflected = bench.start({ longestSleep: 3_600_000 });
    await eventually('a wait', () => reflected.sleeps.length === 1);
    await reflected.stop();
    expect(proxy.requests).to.have.length(1);
    expect(reflected.reflector.synced).to.equal(false);
  });

  it('stopped while it watches, it closes its connection', async () => {
    const reflected = await bench.startSynced();
    await reflected.stop();
    await eventually('no watch is open', () => proxy.openWatches === 0);
    expect(reflected.troubles).to.deep.equal([]);
  });
});

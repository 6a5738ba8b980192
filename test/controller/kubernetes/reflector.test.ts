// The reflector against a real API server, through a proxy that plays every trouble known from other watch clients.
import { expect } from 'chai';
import { startApiServer } from '../../support/api-server.ts';
import type { ApiServer } from '../../support/api-server.ts';
import { startChaosProxy } from '../../support/chaos-proxy.ts';
import type { ChaosProxy } from '../../support/chaos-proxy.ts';
import { eventually } from './eventually.ts';
import { connect } from './connect.ts';
import type { Connected } from './connect.ts';
import { projectByLabel, reflect } from './reflected.ts';
import type { Reflected, ReflectedOptions } from './reflected.ts';

const configMaps = '/api/v1/namespaces/x/configmaps';
const streamingList = /sendInitialEvents=true/;
const resumed = /[?&]resourceVersion=/;

describe('reflector on a server without streaming lists', function () {
  this.timeout(60_000);

  it('lists in pages, then watches', async () => {
    const old = await startApiServer(['--feature-gates=WatchList=false']);
    const connected = connect(old.kubeconfig);
    const reflected = reflect(connected.transport, { scope: { namespace: 'default' }, tuning: { pageSize: 1 } });
    const make = async (name: string): Promise<void> => {
      const metadata = { name, labels: { value: 'v' } };
      await old.ask('POST', '/api/v1/namespaces/default/configmaps', { metadata });
    };
    try {
      await make('one');
      await make('two');
      await reflected.reflector.untilSynced();
      await make('three');
      await eventually('three', () => 'three' in reflected.values());
      expect(Object.keys(reflected.values())).to.have.members(['one', 'two', 'three']);
      expect(reflected.troubles).to.deep.equal([]);
      expect(connected.records.map((it) => it.verb)).to.include.members(['watch', 'list']);
    } finally {
      await reflected.stop();
      await connected.transport.close();
      await old.stop();
    }
  });
});

describe('reflector', function () {
  this.timeout(60_000);
  let server: ApiServer;
  let proxy: ChaosProxy;
  let connected: Connected;
  let running: Reflected[];

  before(async () => {
    server = await startApiServer();
    await server.createNamespace('x');
  });

  beforeEach(async () => {
    running = [];
    proxy = await startChaosProxy(server);
    connected = connect(await server.writeKubeconfig({ url: proxy.url }));
    await put('one', 'first');
  });

  afterEach(async () => {
    await Promise.all(running.map(async (it) => it.stop()));
    await connected.transport.close();
    await proxy.stop();
    await server.ask('DELETE', configMaps);
  });

  after(async () => server?.stop());

  /** Somebody else's write, past the proxy. */
  const put = async (name: string, value: string): Promise<void> => {
    const metadata = { name, labels: { value } };
    await server
      .ask('PATCH', `${configMaps}/${name}`, { metadata })
      .catch(async () => server.ask('POST', configMaps, { metadata }));
  };
  const remove = async (name: string): Promise<void> => void (await server.ask('DELETE', `${configMaps}/${name}`));

  const start = (options: ReflectedOptions = {}): Reflected => {
    const reflected = reflect(connected.transport, options);
    running.push(reflected);
    return reflected;
  };
  const startSynced = async (options: ReflectedOptions = {}): Promise<Reflected> => {
    const reflected = start(options);
    await reflected.reflector.untilSynced();
    return reflected;
  };
  const shows = async (reflected: Reflected, values: Record<string, string>): Promise<void> => {
    const wanted = JSON.stringify(Object.entries(values).toSorted());
    await eventually(wanted, () => JSON.stringify(Object.entries(reflected.values()).toSorted()) === wanted);
  };

  it('shows what is there and what changes, in one request', async () => {
    const reflected = await startSynced();
    expect(reflected.values()).to.deep.equal({ one: 'first' });
    await put('two', 'second');
    await put('one', 'changed');
    await shows(reflected, { one: 'changed', two: 'second' });
    expect([...reflected.cache.by('value', 'changed')].map((it) => it.name)).to.deep.equal(['one']);
    await remove('one');
    await shows(reflected, { two: 'second' });
    expect(proxy.requests.map((it) => it.verb)).to.deep.equal(['watch']);
    expect(reflected.troubles).to.deep.equal([]);
  });

  it('an object that is no longer of interest is gone, and comes back when it is again', async () => {
    const reflected = await startSynced();
    await server.ask('PATCH', `${configMaps}/one`, { metadata: { labels: { value: null } } });
    await shows(reflected, {});
    await put('one', 'again');
    await shows(reflected, { one: 'again' });
  });

  it('lists in small pages where the server refuses streaming lists', async () => {
    for (const name of ['two', 'three', 'four', 'five']) await put(name, 'v');
    proxy.add({ path: streamingList, mischief: { type: 'answer', status: 422, body: '{"reason":"Invalid"}' } });
    const reflected = await startSynced({ tuning: { pageSize: 2 } });
    expect(Object.keys(reflected.values())).to.have.members(['one', 'two', 'three', 'four', 'five']);
    await put('six', 'v');
    await eventually('six', () => 'six' in reflected.values());
    expect(proxy.requests.map((it) => it.verb)).to.deep.equal(['watch', 'list', 'list', 'list', 'watch']);
  });

  it('a silent connection is noticed, and nothing that happened meanwhile is missed', async () => {
    const reflected = await startSynced({ tuning: { idleLimit: 300 } });
    proxy.mute('configmaps');
    await put('one', 'unheard');
    await shows(reflected, { one: 'unheard' });
    expect(reflected.reflector.restarts).to.be.at.least(1);
    expect(reflected.reflector.relists).to.equal(0);
  });

  it('a connection whose first answer never comes is given up', async () => {
    proxy.add({ times: 1, mischief: { type: 'silence' } });
    const reflected = await startSynced({ tuning: { idleLimit: 300 } });
    expect(reflected.values()).to.deep.equal({ one: 'first' });
    expect(reflected.troubles).to.have.length(1);
  });

  it('a reset connection is resumed where it was', async () => {
    const reflected = await startSynced();
    proxy.cut('configmaps');
    await put('one', 'after-the-reset');
    await shows(reflected, { one: 'after-the-reset' });
    expect(proxy.count({ verb: 'watch' })).to.equal(2);
    expect(proxy.requests[1]?.path).to.match(resumed);
    expect(reflected.reflector.relists).to.equal(0);
  });

  it('a watch the server ends in due time is resumed where it was', async () => {
    const reflected = await startSynced({ tuning: { watchLasts: 600 } });
    await eventually('three watches', () => reflected.reflector.restarts >= 2);
    await put('one', 'later');
    await shows(reflected, { one: 'later' });
    expect(reflected.reflector.relists).to.equal(0);
  });

  it('what was deleted while the server was away is gone afterwards', async () => {
    await put('two', 'second');
    const reflected = await startSynced();
    proxy.down();
    await remove('two');
    await put('one', 'while-away');
    await eventually('some refused tries', () => reflected.troubles.length >= 4);
    proxy.up();
    await shows(reflected, { one: 'while-away' });
    expect(reflected.reflector.relists).to.equal(0);
  });

  it('a first list that fails with 500 is tried again', async () => {
    proxy.add({ times: 1, mischief: { type: 'answer', status: 500 } });
    const reflected = await startSynced();
    expect(reflected.values()).to.deep.equal({ one: 'first' });
    expect(reflected.sleeps).to.deep.equal([800]);
  });

  it('429 is tried again after exactly the time the server named', async () => {
    proxy.add({ times: 1, mischief: { type: 'answer', status: 429, headers: { 'retry-after': '7' } } });
    const reflected = await startSynced();
    expect(reflected.sleeps).to.deep.equal([7000]);
  });

  it('waiting times double up to a limit, and start anew after a success', async () => {
    const broken = proxy.add({ mischief: { type: 'cut' } });
    const reflected = start();
    await eventually('eight failures', () => reflected.sleeps.length >= 8);
    broken();
    await reflected.reflector.untilSynced();
    expect(reflected.sleeps.slice(0, 8)).to.deep.equal([800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    const before = reflected.sleeps.length;
    proxy.cut('configmaps');
    await eventually('another failure', () => reflected.sleeps.length > before);
    expect(reflected.sleeps[before]).to.equal(800);
  });

  const expired = JSON.stringify({
    type: 'ERROR',
    object: { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410, message: 'too old resource version' },
  });

  it('410 as an event means a new list', async () => {
    const reflected = await startSynced();
    proxy.inject('configmaps', expired);
    await put('one', 'new-list');
    await shows(reflected, { one: 'new-list' });
    await eventually('the list', () => reflected.reflector.relists === 1);
    expect(reflected.sleeps).to.deep.equal([800]);
  });

  it('410 again and again is answered with lists further and further apart', async () => {
    const reflected = await startSynced();
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
    const reflected = await startSynced();
    proxy.down();
    await put('one', 'before-the-restart');
    await put('two', 'before-the-restart');
    await remove('two');
    await server.restart();
    proxy.up();
    await put('three', 'after-the-restart');
    await shows(reflected, { one: 'before-the-restart', three: 'after-the-restart' });
    expect(reflected.reflector.relists).to.be.at.least(1);
  });

  it('a server that keeps failing to resume is listed anew in the end', async () => {
    const reflected = await startSynced({ tuning: { failuresBeforeRelist: 3 } });
    proxy.add({ path: resumed, mischief: { type: 'answer', status: 500 } });
    proxy.cut('configmaps');
    await put('one', 'listed');
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
      const reflected = await startSynced();
      proxy.inject('configmaps', garbage);
      await eventually('a new list', () => reflected.reflector.relists === 1);
      expect(reflected.troubles).to.have.length(1);
      expect(reflected.troubles[0]).to.match(/^watch: a line of the watch/);
      await reflected.stop();
    }
  });

  it('a listener that throws is reported; the others hear, and the watch goes on', async () => {
    const reflected = await startSynced();
    const heard: string[] = [];
    reflected.cache.onChange(() => {
      throw new Error('a bug');
    });
    reflected.cache.onChange((_, next) => heard.push(next?.value ?? 'gone'));
    await put('one', 'a');
    await put('one', 'b');
    await shows(reflected, { one: 'b' });
    expect(heard).to.deep.equal(['a', 'b']);
    expect(reflected.listenerErrors.map(String)).to.deep.equal(['Error: a bug', 'Error: a bug']);
    expect(reflected.troubles).to.deep.equal([]);
  });

  it('an object that cannot be read stays as it was known, also through a new list; the others go on', async () => {
    const reflected = await startSynced({
      project: (raw) => {
        if (raw.metadata.labels?.['value'] === 'poison') throw new Error('cannot read this');
        return projectByLabel(raw);
      },
    });
    await put('one', 'poison');
    await put('two', 'second');
    await shows(reflected, { one: 'first', two: 'second' });
    proxy.inject('configmaps', expired);
    await eventually('a new list', () => reflected.reflector.relists === 1);
    expect(reflected.values()).to.deep.equal({ one: 'first', two: 'second' });
    expect(reflected.troubles.filter((it) => it.startsWith('project'))).to.have.length(2);
  });

  it('stopped while it waits to try again, it asks nothing more', async () => {
    proxy.add({ mischief: { type: 'answer', status: 500 } });
    const reflected = start({ longestSleep: 3_600_000 });
    await eventually('a wait', () => reflected.sleeps.length === 1);
    await reflected.stop();
    expect(proxy.requests).to.have.length(1);
    expect(reflected.reflector.synced).to.equal(false);
  });

  it('stopped while it watches, it closes its connection', async () => {
    const reflected = await startSynced();
    await reflected.stop();
    await eventually('no watch is open', () => proxy.openWatches === 0);
    expect(reflected.troubles).to.deep.equal([]);
  });

  it('our own write is seen before the lagging watch brings it, and settled when it does', async () => {
    proxy.add({ verb: 'watch', mischief: { type: 'lag', ms: 300 } });
    const reflected = await startSynced();
    const operations = [{ op: 'replace', path: '/metadata/labels/value', value: 'ours' }] as const;
    const answer = await connected.cluster.patch('configmaps', 'x', 'one', { type: 'json', operations });
    const written = projectByLabel(answer);
    if (written === undefined) throw new Error('not kept');
    reflected.cache.written(written);
    expect(reflected.values()).to.deep.equal({ one: 'ours' });
    expect(reflected.cache.watched(written.uid)?.value).to.equal('first');
    await eventually('the watch brings it', () => reflected.cache.unsettled().length === 0);
    expect(reflected.values()).to.deep.equal({ one: 'ours' });
  });

  it('a write the watch can never show is read again and corrected', async () => {
    const reflected = await startSynced({ tuning: { settleAfter: 20 } });
    const known = reflected.cache.get('x', 'one');
    if (known === undefined) throw new Error('not there');
    reflected.cache.written({ ...known, resourceVersion: 'skipped by a list', value: 'wrong' });
    expect(reflected.values()).to.deep.equal({ one: 'wrong' });
    await shows(reflected, { one: 'first' });
    expect(reflected.cache.unsettled()).to.deep.equal([]);
  });

  it('asks for metadata only where that is enough', async () => {
    await server.ask('POST', '/api/v1/namespaces/x/secrets', {
      metadata: { name: 's', labels: { value: 'v' } },
      stringData: { a: 'b' },
    });
    const fields = new Set<string>();
    const scope = { resource: 'secrets', metadataOnly: true } as const;
    for (const refusal of [false, true]) {
      if (refusal)
        proxy.add({ path: streamingList, mischief: { type: 'answer', status: 422, body: '{"reason":"Invalid"}' } });
      const reflected = await startSynced({
        scope,
        project: (raw) => {
          for (const field of Object.keys(raw)) fields.add(field);
          return projectByLabel(raw);
        },
      });
      expect(reflected.values()).to.deep.equal({ s: 'v' });
      await reflected.stop();
    }
    expect([...fields]).to.have.members(['kind', 'apiVersion', 'metadata']);
  });

  it('looks only at what its selectors and its namespace name', async () => {
    await server.createNamespace('y');
    await server.ask('POST', '/api/v1/namespaces/y/configmaps', {
      metadata: { name: 'far', labels: { value: 'first' } },
    });
    await put('two', 'second');
    const byLabel = await startSynced({ scope: { labelSelector: 'value=first' } });
    const byName = await startSynced({ scope: { fieldSelector: 'metadata.name=two' } });
    expect(byLabel.values()).to.deep.equal({ one: 'first' });
    expect(byName.values()).to.deep.equal({ two: 'second' });
    const everywhere = await startSynced({ scope: { namespace: undefined, labelSelector: 'value' } });
    expect(Object.keys(everywhere.values())).to.have.members(['one', 'two', 'far']);
  });
});

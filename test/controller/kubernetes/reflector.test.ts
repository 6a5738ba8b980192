// What a reflector shows, on a real API server that behaves. For trouble see reflector.faults.test.ts.
import { expect } from 'chai';
import { startApiServer } from '../../support/api-server.ts';
import type { ChaosProxy } from '../../support/chaos-proxy.ts';
import { connect } from './connect.ts';
import { eventually } from './eventually.ts';
import { projectByLabel, reflect } from './reflected.ts';
import { ReflectorBench, shows } from './reflector-bench.ts';

const streamingList = /sendInitialEvents=true/;

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

  it('shows what is there and what changes, in one request', async () => {
    const reflected = await bench.startSynced();
    expect(reflected.values()).to.deep.equal({ one: 'first' });
    await bench.put('two', 'second');
    await bench.put('one', 'changed');
    await shows(reflected, { one: 'changed', two: 'second' });
    expect([...reflected.cache.by('value', 'changed')].map((it) => it.name)).to.deep.equal(['one']);
    await bench.remove('one');
    await shows(reflected, { two: 'second' });
    expect(proxy.requests.map((it) => it.verb)).to.deep.equal(['watch']);
    expect(reflected.troubles).to.deep.equal([]);
  });

  it('an object that is no longer of interest is gone, and comes back when it is again', async () => {
    const reflected = await bench.startSynced();
    await bench.put('one', null);
    await shows(reflected, {});
    await bench.put('one', 'again');
    await shows(reflected, { one: 'again' });
  });

  it('the same where objects without a mark are not read', async () => {
    const reflected = await bench.startSynced({ marks: ['"value":"'] });
    await bench.put('one', null);
    await shows(reflected, {});
    await bench.put('one', 'again');
    await shows(reflected, { one: 'again' });
  });

  it('lists in small pages where the server refuses streaming lists', async () => {
    for (const name of ['two', 'three', 'four', 'five']) await bench.put(name, 'v');
    proxy.add({ path: streamingList, mischief: { type: 'answer', status: 422, body: '{"reason":"Invalid"}' } });
    const reflected = await bench.startSynced({ tuning: { pageSize: 2 } });
    expect(Object.keys(reflected.values())).to.have.members(['one', 'two', 'three', 'four', 'five']);
    await bench.put('six', 'v');
    await eventually('six', () => 'six' in reflected.values());
    expect(proxy.requests.map((it) => it.verb)).to.deep.equal(['watch', 'list', 'list', 'list', 'watch']);
  });

  it('our own write is seen before the lagging watch brings it, and settled when it does', async () => {
    proxy.add({ verb: 'watch', mischief: { type: 'lag', ms: 300 } });
    const reflected = await bench.startSynced();
    const operations = [{ op: 'replace', path: '/metadata/labels/value', value: 'ours' }] as const;
    const answer = await bench.connected.cluster.patch('configmaps', 'x', 'one', { type: 'json', operations });
    const written = projectByLabel(answer);
    if (written === undefined) throw new Error('not kept');
    reflected.cache.written(written);
    expect(reflected.values()).to.deep.equal({ one: 'ours' });
    expect(reflected.cache.watched(written.uid)?.value).to.equal('first');
    await eventually('the watch brings it', () => reflected.cache.unsettled().length === 0);
    expect(reflected.values()).to.deep.equal({ one: 'ours' });
  });

  it('a write the watch can never show is read again and corrected', async () => {
    const reflected = await bench.startSynced({ tuning: { settleAfter: 20 } });
    const known = reflected.cache.get('x', 'one');
    if (known === undefined) throw new Error('not there');
    reflected.cache.written({ ...known, resourceVersion: 'skipped by a list', value: 'wrong' });
    expect(reflected.values()).to.deep.equal({ one: 'wrong' });
    await shows(reflected, { one: 'first' });
    expect(reflected.cache.unsettled()).to.deep.equal([]);
  });

  it('asks for metadata only where that is enough', async () => {
    await bench.server.ask('POST', '/api/v1/namespaces/x/secrets', {
      metadata: { name: 's', labels: { value: 'v' } },
      stringData: { a: 'b' },
    });
    const fields = new Set<string>();
    const scope = { resource: 'secrets', metadataOnly: true } as const;
    for (const refusal of [false, true]) {
      if (refusal)
        proxy.add({ path: streamingList, mischief: { type: 'answer', status: 422, body: '{"reason":"Invalid"}' } });
      const reflected = await bench.startSynced({
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
    await bench.server.createNamespace('y');
    await bench.server.ask('POST', '/api/v1/namespaces/y/configmaps', {
      metadata: { name: 'far', labels: { value: 'first' } },
    });
    await bench.put('two', 'second');
    const byLabel = await bench.startSynced({ scope: { labelSelector: 'value=first' } });
    const byName = await bench.startSynced({ scope: { fieldSelector: 'metadata.name=two' } });
    expect(byLabel.values()).to.deep.equal({ one: 'first' });
    expect(byName.values()).to.deep.equal({ two: 'second' });
    const everywhere = await bench.startSynced({ scope: { namespace: undefined, labelSelector: 'value' } });
    expect(Object.keys(everywhere.values())).to.have.members(['one', 'two', 'far']);
  });
});

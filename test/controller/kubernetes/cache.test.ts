// The cache in sentences: one story each. cache.model.test.ts plays all of them in random order.
import { expect } from 'chai';
import { Cache } from '../../../controller/kubernetes/cache.ts';
import type { CachedObject } from '../../../controller/kubernetes/cache.ts';

interface Item extends CachedObject {
  readonly host: string | undefined;
}

const item = (version: string, more: Partial<Item> = {}): Item => ({
  uid: 'u1',
  namespace: 'n',
  name: 'a',
  resourceVersion: version,
  host: undefined,
  ...more,
});

describe('cache', () => {
  let cache: Cache<Item, 'host'>;
  let errors: unknown[];
  const shown = (): string | undefined => cache.get('n', 'a')?.resourceVersion;

  beforeEach(() => {
    errors = [];
    cache = new Cache<Item, 'host'>({
      index: { host: (it) => it.host },
      onListenerError: (error) => errors.push(error),
    });
  });

  it('finds by name, by uid and by index, and forgets old index values', () => {
    cache.applied(item('1', { host: 'h1' }));
    cache.applied(item('2', { host: 'h2' }));
    expect(cache.get('n', 'a')).to.equal(cache.byUid('u1'));
    expect([...cache.by('host', 'h1')]).to.deep.equal([]);
    expect([...cache.by('host', 'h2')].map((it) => it.resourceVersion)).to.deep.equal(['2']);
    expect([cache.count('host', 'h1'), cache.count('host', 'h2')]).to.deep.equal([0, 1]);
  });

  it('tells listeners of a new uid under the same name as of a removal and an addition', () => {
    const told: string[] = [];
    cache.onChange((previous, next) => told.push(`${previous?.uid ?? '-'} → ${next?.uid ?? '-'}`));
    cache.applied(item('1'));
    cache.applied(item('5', { uid: 'u2' }));
    expect(told).to.deep.equal(['- → u1', 'u1 → -', '- → u2']);
    expect(cache.byUid('u1')).to.equal(undefined);
  });

  it('does not tell listeners of what they know already', () => {
    let told = 0;
    cache.onChange(() => (told += 1));
    cache.written(item('1'));
    cache.applied(item('1'));
    cache.replace(cache.relisting(), [item('1')]);
    expect(told).to.equal(1);
  });

  it('a listener that throws is reported, and the next one is told', () => {
    let told = 0;
    cache.onChange(() => {
      throw new Error('a bug');
    });
    cache.onChange(() => (told += 1));
    cache.applied(item('1'));
    expect([told, String(errors[0])]).to.deep.equal([1, 'Error: a bug']);
  });

  it('an own write hides older events until its own version arrives', () => {
    cache.applied(item('1'));
    cache.written(item('3'));
    cache.applied(item('2'));
    expect(shown()).to.equal('3');
    cache.applied(item('3'));
    cache.applied(item('4'));
    expect(shown()).to.equal('4');
  });

  it('an answer that comes after the watch has shown it, or more, changes nothing', () => {
    for (const version of ['2', '3', '4']) cache.applied(item(version));
    cache.written(item('2'));
    expect(shown()).to.equal('4');
    expect(cache.unsettled()).to.deep.equal([]);
  });

  it('an answer that comes after the deletion does not bring the object back', () => {
    cache.applied(item('1'));
    cache.deleted(item('3'));
    cache.written(item('2'));
    expect(shown()).to.equal(undefined);
  });

  it('an answer that comes after the object stopped being of interest does not bring it back', () => {
    cache.applied(item('1'));
    cache.applied(item('2'));
    cache.dropped(item('3'));
    cache.written(item('2'));
    expect(shown()).to.equal(undefined);
    cache.applied(item('4'));
    expect(shown()).to.equal('4');
  });

  it('an answer the watch was faster than ends what was written under that name before', () => {
    cache.written(item('1'));
    cache.applied(item('5', { uid: 'u2' }));
    expect(shown()).to.equal('1');
    cache.written(item('5', { uid: 'u2' }));
    expect(shown()).to.equal('5');
  });

  it('what we deleted is hidden until the watch has deleted it too', () => {
    cache.applied(item('1'));
    cache.deletedByUs('u1');
    cache.applied(item('2'));
    cache.dropped(item('3'));
    cache.applied(item('4'));
    expect(shown()).to.equal(undefined);
    cache.deleted(item('5'));
    expect(cache.unsettled()).to.deep.equal([]);
    cache.applied(item('6', { uid: 'u2' }));
    expect(shown()).to.equal('6');
  });

  it('what we deleted while it was of no interest stays hidden when an older event shows it again', () => {
    cache.applied(item('1'));
    cache.dropped(item('2'));
    cache.deletedByUs('u1');
    cache.applied(item('3'));
    expect(shown()).to.equal(undefined);
  });

  it('a list that began after a write replaces it, whatever it shows', () => {
    cache.applied(item('1'));
    cache.written(item('2'));
    cache.replace(cache.relisting(), [item('9')]);
    expect(shown()).to.equal('9');
    cache.written(item('10'));
    cache.replace(cache.relisting(), []);
    expect(shown()).to.equal(undefined);
  });

  it('what we deleted shows again when a list that began later finds it alive', () => {
    cache.applied(item('1'));
    cache.deletedByUs('u1');
    cache.replace(cache.relisting(), [item('2')]);
    expect(shown()).to.equal('2');
  });

  it('a list that began before a write neither hides it nor shows something older', () => {
    cache.applied(item('1'));
    const began = cache.relisting();
    cache.written(item('3'));
    cache.written(item('1', { uid: 'u9', name: 'b' }));
    cache.replace(began, [item('2')]);
    expect(shown()).to.equal('3');
    expect(cache.get('n', 'b')?.uid).to.equal('u9');
  });

  it('a list that began before a write and misses an object known to be there means that it was deleted', () => {
    cache.applied(item('1'));
    const began = cache.relisting();
    cache.written(item('2'));
    cache.replace(began, []);
    expect(shown()).to.equal(undefined);
    cache.written(item('2'));
    expect(shown()).to.equal(undefined);
  });

  describe('a second look at a write the watch does not show', () => {
    it('shows what was read until the watch has shown that', () => {
      cache.applied(item('1'));
      cache.written(item('2'));
      const [write] = cache.unsettled();
      if (write !== undefined) cache.confirmed(write, item('4'));
      cache.applied(item('3'));
      expect(shown()).to.equal('4');
      cache.applied(item('4'));
      expect(cache.unsettled()).to.deep.equal([]);
    });

    it('gives way to the watch where that is as far or further', () => {
      cache.applied(item('1'));
      cache.written(item('2'));
      cache.applied(item('4'));
      cache.applied(item('5'));
      const [write] = cache.unsettled();
      if (write !== undefined) cache.confirmed(write, item('4'));
      expect(shown()).to.equal('5');
    });

    it('hides what is gone until the watch has noticed', () => {
      cache.applied(item('1'));
      cache.written(item('2'));
      const [write] = cache.unsettled();
      if (write !== undefined) cache.confirmed(write, undefined);
      expect(shown()).to.equal(undefined);
      cache.dropped(item('3'));
      expect(cache.unsettled()).to.deep.equal([]);
    });

    it('says nothing about a write that came after it', () => {
      cache.applied(item('1'));
      cache.written(item('2'));
      const [write] = cache.unsettled();
      cache.written(item('3'));
      if (write !== undefined) cache.confirmed(write, item('2'));
      expect(shown()).to.equal('3');
    });
  });
});

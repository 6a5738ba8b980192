// The oracle of the cache model test: a server with its history, and everything that happens between it and the cache.
import { expect } from 'chai';
import { Cache } from '../../../controller/kubernetes/cache.ts';
import type { CachedObject, Unsettled } from '../../../controller/kubernetes/cache.ts';

interface Item extends CachedObject {
  readonly content: string;
}

interface ServerObject {
  readonly item: Item;
  readonly order: number;
  /** False: the projection would not keep it. */
  readonly kept: boolean;
}

interface Happened extends ServerObject {
  readonly key: string;
  readonly type: 'changed' | 'deleted';
}

export class CacheWorld {
  readonly cache = new Cache<Item, 'content'>({
    index: { content: (it) => it.content },
    onListenerError: (error) => {
      throw error;
    },
  });
  /** A list was completed while an own write was on its way: only a read can then tell which is newer. */
  listOverlappedWrite = false;
  readonly #server = new Map<string, ServerObject>();
  readonly #history: Happened[] = [];
  readonly #answers = new Map<string, { readonly arrive: () => void }>();
  readonly #acknowledged = new Map<
    string,
    { readonly order: number; readonly uid: string; readonly deleted: boolean }
  >();
  readonly #lastSeen = new Map<string, number>();
  readonly #heard = new Map<string, Item>();
  readonly #overlapped = new Set<string>();
  readonly #foundGone = new Set<string>();
  #delivered = 0;
  #list:
    | {
        readonly began: number;
        taken?: { readonly items: Item[]; readonly upTo: number; readonly passedOver: Item[] };
      }
    | undefined;
  #reads: { readonly write: Unsettled; readonly now: Item | undefined }[] = [];
  #order = 0;

  constructor() {
    this.cache.onChange((previous, next) => {
      const key = (previous ?? next)?.name ?? '';
      expect(this.#heard.get(key)).to.equal(previous, 'a listener is told what was there before');
      if (next === undefined) this.#heard.delete(key);
      else this.#heard.set(key, next);
    });
  }

  visible(): Record<string, string> {
    return versions(this.cache.values());
  }

  heard(): Record<string, string> {
    return versions(this.#heard.values());
  }

  kept(): Record<string, string> {
    return versions([...this.#server.values()].filter((it) => it.kept).map((it) => it.item));
  }

  /** Read-your-writes, and no step back in time. */
  checkReader(): void {
    for (const key of ['a', 'b']) {
      const seen = this.cache.get('n', key);
      const seenOrder = seen === undefined ? undefined : Number(seen.resourceVersion.slice(1));
      const own = this.#acknowledged.get(key);
      if (own !== undefined) {
        if (seen === undefined) {
          const ended = this.#history.some(
            (it) => it.key === key && it.order >= own.order && (it.type === 'deleted' || !it.kept),
          );
          expect(own.deleted || ended, `${key}: hidden although our write is alive`).to.equal(true);
        } else {
          expect(seenOrder, `${key}: older than our acknowledged write`).to.be.at.least(own.order);
          if (own.deleted) expect(seen.uid, `${key}: deleted by us and still shown`).not.to.equal(own.uid);
        }
      }
      if (seenOrder === undefined) continue;
      if (!this.#overlapped.has(key))
        expect(seenOrder, `${key}: went back`).to.be.at.least(this.#lastSeen.get(key) ?? 0);
      this.#lastSeen.set(key, seenOrder);
    }
  }

  catchUp(): void {
    for (const { arrive } of this.#answers.values()) arrive();
    this.#answers.clear();
    this.takeList();
    this.completeList();
    this.deliver(this.#history.length);
  }

  settle(): void {
    this.read();
    this.confirm();
  }

  // ---- the server

  change(key: string, how: { readonly ours: boolean; readonly kept?: boolean }): void {
    const before = this.#server.get(key);
    if (how.ours && !this.#mayWrite(key)) return;
    this.#order += 1;
    const uid = before?.item.uid ?? `uid-${this.#order}`;
    const item = { uid, namespace: 'n', name: key, resourceVersion: `v${this.#order}`, content: `c${this.#order % 3}` };
    const object = { item, order: this.#order, kept: how.kept ?? before?.kept ?? true };
    this.#server.set(key, object);
    this.#history.push({ ...object, key, type: 'changed' });
    // An answer that the projection would not keep is not told to the cache.
    if (how.ours && object.kept) this.#answer(key, item, () => this.cache.written(item));
  }

  remove(key: string, how: { readonly ours: boolean }): void {
    const before = this.#server.get(key);
    if (before === undefined || (how.ours && !this.#mayWrite(key))) return;
    this.#order += 1;
    this.#server.delete(key);
    const item = { ...before.item, resourceVersion: `v${this.#order}` };
    this.#history.push({ item, order: this.#order, kept: before.kept, key, type: 'deleted' });
    if (how.ours) this.#answer(key, undefined, () => this.cache.deletedByUs(item.uid), item.uid);
  }

  /** Our writes to one object follow one another, and name the uid we know. */
  #mayWrite(key: string): boolean {
    const now = this.#server.get(key);
    return !this.#answers.has(key) && (now === undefined || this.cache.byUid(now.item.uid) !== undefined);
  }

  #answer(key: string, item: Item | undefined, tell: () => void, uid = item?.uid ?? ''): void {
    const order = this.#order;
    const arrive = (): void => {
      tell();
      // Told as gone meanwhile, by a second look or a list: that has ended the guarantee.
      if (this.#foundGone.has(uid)) return;
      this.#acknowledged.set(key, { order, uid, deleted: item === undefined });
    };
    this.#answers.set(key, { arrive });
  }

  answer(key: string): void {
    this.#answers.get(key)?.arrive();
    this.#answers.delete(key);
  }

  // ---- the watch

  deliver(count: number): void {
    if (this.#list !== undefined) return;
    for (const { item, type, kept } of this.#history.slice(this.#delivered, this.#delivered + count)) {
      if (type === 'deleted') this.cache.deleted(item);
      else if (kept) this.cache.applied(item);
      else this.cache.dropped(item);
      this.#delivered += 1;
    }
  }

  beginList(): void {
    this.#list ??= { began: this.cache.relisting() };
  }

  takeList(): void {
    if (this.#list === undefined || this.#list.taken !== undefined) return;
    const items = [...this.#server.values()].filter((it) => it.kept).map((it) => it.item);
    const passedOver = [...this.#server.values()].filter((it) => !it.kept).map((it) => it.item);
    this.#list.taken = { items, upTo: this.#history.length, passedOver };
  }

  completeList(): void {
    if (this.#list?.taken === undefined) return;
    const { began, taken } = this.#list;
    const underWay = [...this.#answers.keys(), ...this.cache.unsettled().map((it) => it.name)];
    this.cache.replace(began, taken.items);
    this.#delivered = taken.upTo;
    this.#list = undefined;
    for (const key of underWay) this.#overlapped.add(key);
    if (underWay.length > 0) this.listOverlappedWrite = true;
    // What a list does not show is taken for deleted, even if it is only uninteresting at that moment.
    for (const { name, uid } of taken.passedOver) {
      this.#foundGone.add(uid);
      this.#acknowledged.delete(name);
      this.#lastSeen.delete(name);
    }
  }

  // ---- the second look

  read(): void {
    if (this.#list !== undefined) return;
    this.#reads = this.cache.unsettled().map((write) => {
      const now = this.#server.get(write.name);
      return { write, now: now?.kept === true && now.item.uid === write.uid ? now.item : undefined };
    });
  }

  confirm(): void {
    for (const { write, now } of this.#reads) {
      this.cache.confirmed(write, now);
      if (this.#answers.has(write.name)) this.#overlapped.add(write.name);
      // What we wrote is no more: from here on the watch alone tells what came after it.
      if (now === undefined) {
        this.#foundGone.add(write.uid);
        this.#acknowledged.delete(write.name);
        this.#lastSeen.delete(write.name);
      }
    }
    this.#reads = [];
  }
}

function versions(items: Iterable<Item>): Record<string, string> {
  return Object.fromEntries([...items].map((it) => [it.name, it.resourceVersion]));
}

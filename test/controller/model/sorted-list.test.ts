import { expect } from 'chai';
import * as fc from 'fast-check';
import { SortedList } from '../../../controller/model/sorted-list.ts';

interface Item {
  readonly name: string;
  readonly rank: number;
}

const order = (a: Item, b: Item): number => a.rank - b.rank || (a.name < b.name ? -1 : Number(a.name > b.name));
const items = fc.uniqueArray(fc.record({ name: fc.stringMatching(/^[a-d]{1,2}$/), rank: fc.nat(3) }), {
  selector: ({ name }) => name,
  maxLength: 12,
});

describe('SortedList', () => {
  it('is in order after any additions and removals', () => {
    fc.assert(
      fc.property(items, items, fc.array(fc.nat(11)), (initial, added, removals) => {
        const others = added.filter(({ name }) => initial.every((it) => it.name !== name));
        const list = new SortedList(order, initial);
        for (const item of others) list.add(item);
        let expected = [...initial, ...others];
        for (const nth of removals) {
          const item = expected[nth];
          if (item === undefined) continue;
          list.remove(item);
          expected = expected.filter((it) => it !== item);
        }
        expect([...list]).to.deep.equal(expected.toSorted(order));
        expect(list.first).to.equal(expected.toSorted(order)[0]);
      }),
    );
  });

  it('removing what is not in it changes nothing', () => {
    const list = new SortedList(order, [{ name: 'a', rank: 1 }]);
    list.remove({ name: 'a', rank: 1 });
    list.remove({ name: 'z', rank: 9 });
    expect([...list]).to.deep.equal([{ name: 'a', rank: 1 }]);
  });
});

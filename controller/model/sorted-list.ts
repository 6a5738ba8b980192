// Items in order at all times, for queues whose items change their place. Adding, removing and taking the first cost a
// binary search; the order must be total, so that an item is found again.

export class SortedList<Item> implements Iterable<Item> {
  readonly #compare: (a: Item, b: Item) => number;
  readonly #items: Item[];

  constructor(compare: (a: Item, b: Item) => number, items: Iterable<Item> = []) {
    this.#compare = compare;
    this.#items = [...items].sort(compare);
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  add(item: Item): void {
    this.#items.splice(this.#placeOf(item), 0, item);
  }

  /** To be called before the item changes: it is looked for where its order says it is. */
  remove(item: Item): void {
    const place = this.#placeOf(item);
    if (this.#items[place] === item) this.#items.splice(place, 1);
  }

  [Symbol.iterator](): IterableIterator<Item> {
    return this.#items[Symbol.iterator]();
  }

  /** Index of the first item that is not before this one. */
  #placeOf(item: Item): number {
    let from = 0;
    let to = this.#items.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const other = this.#items[middle];
      if (other !== undefined && this.#compare(other, item) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

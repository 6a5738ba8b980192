// What can happen between a server and a cache, as single steps a random trace is made of.
import type { CacheWorld } from './cache-world.ts';

const effects = {
  'we write': (world: CacheWorld, key: string): void => world.change(key, { ours: true }),
  'we delete': (world: CacheWorld, key: string): void => world.remove(key, { ours: true }),
  'our answer arrives': (world: CacheWorld, key: string): void => world.answer(key),
  'somebody writes': (world: CacheWorld, key: string): void => world.change(key, { ours: false }),
  'somebody makes it uninteresting': (world: CacheWorld, key: string): void =>
    world.change(key, { ours: false, kept: false }),
  'somebody makes it interesting': (world: CacheWorld, key: string): void =>
    world.change(key, { ours: false, kept: true }),
  'somebody deletes': (world: CacheWorld, key: string): void => world.remove(key, { ours: false }),
  'one event arrives': (world: CacheWorld): void => world.deliver(1),
  'three events arrive': (world: CacheWorld): void => world.deliver(3),
  'a list begins': (world: CacheWorld): void => world.beginList(),
  'the list is taken': (world: CacheWorld): void => world.takeList(),
  'the list is complete': (world: CacheWorld): void => world.completeList(),
  'a second look reads': (world: CacheWorld): void => world.read(),
  'the second look is told': (world: CacheWorld): void => world.confirm(),
} as const;

export type OperationName = keyof typeof effects;
export const operations: readonly OperationName[] = [
  'we write',
  'we delete',
  'our answer arrives',
  'somebody writes',
  'somebody makes it uninteresting',
  'somebody makes it interesting',
  'somebody deletes',
  'one event arrives',
  'three events arrive',
  'a list begins',
  'the list is taken',
  'the list is complete',
  'a second look reads',
  'the second look is told',
];

export function perform(name: OperationName, world: CacheWorld, key: string): void {
  effects[name](world, key);
}

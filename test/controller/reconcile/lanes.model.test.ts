// What holds for the queue of a platform whatever happens, and in whatever order.
import { expect } from 'chai';
import * as fc from 'fast-check';
import { minute, second } from '../../../controller/model/instant.ts';
import { LanesWorld, type Step } from './lanes-world.ts';

const nth = fc.nat({ max: 9 });
const ending = fc.constantFrom('succeeded', 'failed');
const rules = fc.constantFrom<Readonly<Record<string, string>>>(
  {},
  {},
  { priority: 'true' },
  { 'fair-share': 'true' },
  { 'max-per-namespace': '2' },
  { 'cordoned-hosts': 'h1' },
  { 'release-slot-after': 'cleanup' },
);

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      step: fc.constant('arrive'),
      namespace: fc.constantFrom('team-a', 'team-b', 'team-c'),
      priority: fc.constantFrom(0, 0, 1),
    }),
  },
  { weight: 3, arbitrary: fc.record({ step: fc.constant('end'), nth }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('delete'), nth }) },
  { weight: 4, arbitrary: fc.record({ step: fc.constant('provision'), nth, ending }) },
  { weight: 2, arbitrary: fc.record({ step: fc.constant('cleanup'), nth, ending }) },
  {
    weight: 1,
    arbitrary: fc.record({
      step: fc.constant('configure'),
      slots: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 4 }),
      rules,
    }),
  },
  { weight: 1, arbitrary: fc.record({ step: fc.constant('lag'), lag: fc.constantFrom(0, 200, 3 * second) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      step: fc.constant('fault'),
      kind: fc.constantFrom('timeout', 'throttled', 'unavailable', 'conflict'),
      effect: fc.constant(false),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ step: 'fault', kind: 'timeout', effect: true } as const) },
  {
    weight: 4,
    arbitrary: fc.record({ step: fc.constant('pass'), time: fc.constantFrom(10, second, 5 * second, minute + second) }),
  },
);

describe('platform lanes, always', () => {
  it('no host over capacity, nobody overtaken, no slot left free beside a waiter, everybody has a turn', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 60, size: 'max' }), async (steps) => {
        const world = new LanesWorld();
        for (const next of steps) await world.live(next);
        await world.finish();
        expect(world.wrong).to.deep.equal([]);
      }),
      { numRuns: 60 },
    );
  }).timeout(300_000);
});

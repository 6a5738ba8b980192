// Whatever happens to hosts, builds, updates and the controller itself: what must hold of every decision about care.
import { expect } from 'chai';
import * as fc from 'fast-check';
import { noCareYet } from '../../../controller/allocation/next-care.ts';
import { hour, minute, type Instant } from '../../../controller/model/instant.ts';
import { CareWorld, day } from './care-world.ts';

const names = ['a', 'b', 'c'] as const;
const name = fc.constantFrom(...names);

type Happening =
  | { readonly type: 'time'; readonly minutes: number }
  | { readonly type: 'builds'; readonly host: string; readonly count: number }
  | { readonly type: 'end'; readonly reason: string | undefined }
  | { readonly type: 'cordon'; readonly host: string; readonly cordoned: boolean }
  | { readonly type: 'restart' };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('time'), minutes: fc.integer({ min: 0, max: 90 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('builds'), host: name, count: fc.integer({ min: 0, max: 2 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('end'),
      reason: fc.constantFrom(undefined, undefined, 'HostBusy', 'HostUnreachable'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('cordon'), host: name, cordoned: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart') }) },
);

/** Lives through one thing after another, looking as often as the plan asks for, and checks each look. */
class CareHistory {
  readonly world = new CareWorld(...names);
  readonly begun: { readonly host: string; readonly at: Instant }[] = [];
  #drainedSince: { readonly host: string; readonly at: Instant } | undefined;

  live(happened: Happening): void {
    const { world } = this;
    if (happened.type === 'time') return this.#pass(happened.minutes * minute);
    if (happened.type === 'builds') {
      // A host that is drained gets no more builds; those it has may end.
      const users = world.hosts.find(({ host }) => host.name === happened.host)?.users ?? 0;
      const count = world.plan.drained === happened.host ? Math.min(users, happened.count) : happened.count;
      world.set(happened.host, { users: count });
    } else if (happened.type === 'end') {
      const running = world.runs.find(({ outcome }) => outcome === 'running');
      if (running !== undefined) world.end(running.host, happened.reason);
    } else if (happened.type === 'cordon') {
      world.set(happened.host, { cordoned: happened.cordoned });
    } else {
      world.plan = { ...world.plan, memory: noCareYet, drained: undefined };
      this.#drainedSince = undefined;
    }
    this.#look();
  }

  #pass(time: number): void {
    const until = this.world.now + time;
    for (;;) {
      const next = this.world.plan.lookAgainAt ?? Infinity;
      if (next > until) break;
      expect(next, 'time to look again').to.be.at.least(this.world.now);
      this.world.now = next;
      this.#look();
    }
    this.world.now = until;
  }

  #look(): void {
    const { world } = this;
    const { now } = world;
    world.look();
    const { steps, drained } = world.plan;
    const updates = steps.filter((step) => step.type === 'update');
    expect(updates.length).to.be.at.most(1);
    for (const { host } of updates) {
      const use = world.hosts.find((it) => it.host.name === host.name);
      expect(use, 'updated with builds on it, or cordoned').to.include({ users: 0, cordoned: false });
      expect(world.runs.some((run) => run.outcome === 'running' && now < run.created + 2 * hour)).to.equal(false);
      expect(drained).to.equal(host.name);
      this.begun.push({ host: host.name, at: now });
      world.begin(host.name);
    }
    for (const step of steps) if (step.type === 'retire') world.runs = world.runs.filter((run) => run !== step.run);
    this.#checkDrain(drained, now);
  }

  #checkDrain(drained: string | undefined, now: Instant): void {
    if (drained !== this.#drainedSince?.host) {
      this.#drainedSince = drained === undefined ? undefined : { host: drained, at: now };
    } else if (this.#drainedSince !== undefined) {
      expect(now - this.#drainedSince.at, 'drained for').to.be.below(this.world.settings.drainTimeout);
    }
  }
}

const histories = fc.array(happening, { maxLength: 60 });

describe('care of hosts, whatever happens', () => {
  it('updates one idle host at a time, and keeps none from its builds for longer than drain-timeout', () => {
    fc.assert(
      fc.property(histories, (all) => {
        const history = new CareHistory();
        history.world.look();
        for (const one of all) history.live(one);
      }),
      { numRuns: 300 },
    );
  });

  it('updates no host twice in an interval, unless builds were found on it', () => {
    fc.assert(
      fc.property(histories, (all) => {
        const history = new CareHistory();
        history.world.look();
        for (const one of all)
          history.live(one.type === 'end' && one.reason === 'HostBusy' ? { ...one, reason: undefined } : one);
        for (const host of names) {
          const times = history.begun.filter((it) => it.host === host).map(({ at }) => at);
          for (const [index, at] of times.slice(1).entries()) expect(at - (times[index] ?? 0)).to.be.at.least(day);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('updates every host within 26 hours, whatever was before', () => {
    fc.assert(
      fc.property(histories, (all) => {
        const history = new CareHistory();
        history.world.look();
        for (const one of all) history.live(one);
        for (const host of names) {
          history.world.set(host, { users: 0, cordoned: false });
          history.live({ type: 'end', reason: undefined });
        }
        const from = history.world.now;
        const minutes = 5;
        for (let passed = 0; passed < 26 * 60; passed += minutes) {
          history.live({ type: 'time', minutes });
          history.live({ type: 'end', reason: undefined });
        }
        for (const host of names) {
          const last = history.begun.findLast((it) => it.host === host);
          expect(last?.at, host).to.be.at.least(from);
        }
      }),
      { numRuns: 50 },
    );
  });
});

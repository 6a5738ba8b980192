// Whole lives of leases, with everything going wrong at any moment: nothing is held twice, and when the faults stop
// nothing is left.
import { expect } from 'chai';
import * as fc from 'fast-check';
import { assertNever } from '../../../controller/model/assert-never.ts';
import { olderBuildUid } from '../../../controller/taskruns/older-task-run.ts';
import { olderLease } from './lease-checks.ts';
import { LeaseWorld, hosts, type Cut } from './lease-world.ts';
import { putOlderBuild, putOlderSecret, putOlderTaskRun, stripAnnotations } from './older-builds.ts';
import { buildEnds, cleanupFates, launchFates, leftovers, PlayedTekton, provisionFates } from './played-tekton.ts';

type Step =
  | { readonly step: 'create'; readonly on: string }
  | { readonly step: 'take over'; readonly on: number; readonly found: (typeof olderStates)[number] }
  | { readonly step: 'strip'; readonly at: number }
  | { readonly step: 'look'; readonly at: number; readonly cut: Cut | undefined }
  | { readonly step: 'lane'; readonly on: string; readonly cut: Cut | undefined }
  | { readonly step: 'watch' }
  | { readonly step: 'provision'; readonly at: number; readonly fate: (typeof provisionFates)[number] }
  | { readonly step: 'launch'; readonly at: number; readonly fate: (typeof launchFates)[number] }
  | { readonly step: 'terminate'; readonly at: number; readonly fate: (typeof cleanupFates)[number] }
  | { readonly step: 'cleanup'; readonly at: number; readonly fate: (typeof cleanupFates)[number] }
  | { readonly step: 'end'; readonly at: number; readonly how: (typeof buildEnds)[number] }
  | { readonly step: 'pass'; readonly seconds: number }
  | { readonly step: 'restart' };

/** How far an older controller came with its build. */
const olderStates = ['labelled', 'preparing', 'ready', 'ready, and it ended', 'being cleaned'] as const;

const at = fc.nat({ max: 5 });
const allPlatforms = ['linux/arm64', 'linux/x86_64', 'linux/s390x', 'linux/ppc64le'];
const platforms = fc.constantFrom('linux/arm64', 'linux/arm64', 'linux/s390x', ...allPlatforms);
const cut: fc.Arbitrary<Cut | undefined> = fc.option(
  fc.record({
    write: fc.integer({ min: 1, max: 4 }),
    how: fc.constantFrom('crash before', 'crash after', 'time-out before', 'time-out after'),
  }),
  { nil: undefined, freq: 3 },
);
const step = <Name extends Step['step'], Rest>(
  name: Name,
  rest: fc.Arbitrary<Rest>,
): fc.Arbitrary<Rest & { step: Name }> => rest.map((values) => ({ ...values, step: name }));

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: step('create', fc.record({ on: platforms })) },
  {
    weight: 1,
    arbitrary: step('take over', fc.record({ on: fc.nat({ max: 1 }), found: fc.constantFrom(...olderStates) })),
  },
  { weight: 2, arbitrary: step('strip', fc.record({ at })) },
  { weight: 8, arbitrary: step('look', fc.record({ at, cut })) },
  { weight: 4, arbitrary: step('lane', fc.record({ on: platforms, cut })) },
  { weight: 8, arbitrary: step('watch', fc.record({})) },
  { weight: 4, arbitrary: step('provision', fc.record({ at, fate: fc.constantFrom(...provisionFates) })) },
  { weight: 4, arbitrary: step('launch', fc.record({ at, fate: fc.constantFrom(...launchFates) })) },
  { weight: 2, arbitrary: step('terminate', fc.record({ at, fate: fc.constantFrom(...cleanupFates) })) },
  { weight: 3, arbitrary: step('cleanup', fc.record({ at, fate: fc.constantFrom(...cleanupFates) })) },
  { weight: 3, arbitrary: step('end', fc.record({ at, how: fc.constantFrom(...buildEnds) })) },
  { weight: 2, arbitrary: step('pass', fc.record({ seconds: fc.constantFrom(1, 20, 40, 700) })) },
  { weight: 1, arbitrary: step('restart', fc.record({})) },
);

class Life {
  readonly world = new LeaseWorld();
  readonly tekton = new PlayedTekton(this.world);
  readonly #uids: string[] = [];

  async live(next: Step): Promise<void> {
    const { world, tekton } = this;
    switch (next.step) {
      case 'create':
        if (this.#uids.length < 5) world.create(`build-${this.#uids.length}`, next.on);
        return this.#note();
      case 'take over':
        if (this.#uids.length < 5) this.#takeOver(`build-${this.#uids.length}`, next.on, next.found);
        return this.#note();
      case 'strip':
        return this.#with(world.builds(), next.at, ({ name }) => stripAnnotations(world.cluster, name));
      case 'look':
        return this.#with(this.#uids, next.at, (uid) => world.look(uid, next.cut));
      case 'lane':
        return world.lane(next.on, next.cut);
      case 'watch':
        return world.catchUp();
      case 'provision':
        return this.#with(tekton.running('provision'), next.at, (it) => tekton.provision(it, next.fate));
      case 'launch':
        return this.#with(tekton.running('launch'), next.at, (it) => tekton.launch(it, next.fate));
      case 'terminate':
        return this.#with(tekton.running('terminate'), next.at, (it) => tekton.cleanup(it, next.fate));
      case 'cleanup':
        return this.#with(tekton.running('clean'), next.at, (it) => tekton.cleanup(it, next.fate));
      case 'end':
        return this.#with(world.builds(), next.at, (it) => tekton.endBuild(it, next.how));
      case 'pass':
        return world.pass(next.seconds);
      case 'restart':
        return world.restart();
      default:
        return assertNever(next);
    }
  }

  /** No more faults: every build gets its turn, then ends, then an hour goes by. */
  async endWell(): Promise<void> {
    const { world, tekton } = this;
    for (let round = 0; round < 40; round += 1) {
      if (round > 15) for (const build of world.builds()) tekton.endBuild(build, 'succeeds');
      await this.#round();
      world.pass(round > 15 && round % 10 === 0 ? 620 : 5);
    }
    world.pass(4000);
    for (let round = 0; round < 4; round += 1) await this.#round();
  }

  async #round(): Promise<void> {
    const { world, tekton } = this;
    for (const it of tekton.running('provision')) tekton.provision(it, it.cancelled ? 'fails' : 'succeeds');
    for (const it of tekton.running('launch')) tekton.launch(it, it.cancelled ? 'fails late' : 'succeeds');
    for (const type of ['clean', 'terminate'] as const)
      for (const it of tekton.running(type)) tekton.cleanup(it, 'succeeds');
    for (const on of allPlatforms) {
      world.catchUp();
      await world.lane(on);
    }
    for (const uid of this.#uids) {
      world.catchUp();
      await world.look(uid);
    }
  }

  /** An older controller got so far with a build before it was replaced. */
  #takeOver(name: string, on: number, found: (typeof olderStates)[number]): void {
    const { cluster } = this.world;
    const host = hosts[on];
    if (host === undefined) throw new Error(`no host ${on}`);
    if (found === 'preparing') putOlderTaskRun(cluster, 'provision', name, host);
    if (found === 'being cleaned') putOlderTaskRun(cluster, 'clean', name, host);
    if (found !== 'labelled' && found !== 'preparing') {
      putOlderSecret(cluster, name);
      this.tekton.users.add(olderLease(name, host));
    }
    putOlderBuild(cluster, name, host.name);
    this.#uids.push(olderBuildUid('team-a', name));
    const ended = found === 'ready, and it ended' || found === 'being cleaned';
    const build = this.world.builds().find((it) => it.name === name);
    if (ended && build !== undefined) this.tekton.endBuild(build, 'succeeds');
  }

  #note(): void {
    for (const { uid } of this.world.builds()) if (!this.#uids.includes(uid)) this.#uids.push(uid);
  }

  async #with<Item>(items: readonly Item[], index: number, act: (item: Item) => Promise<void> | void): Promise<void> {
    const item = items[index % Math.max(1, items.length)];
    if (item !== undefined) await act(item);
  }
}

describe('a lease over its whole life', () => {
  it('holds nothing twice, follows the table, and leaves nothing when the faults stop', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 5, maxLength: 60, size: 'max' }), async (steps) => {
        const life = new Life();
        for (const next of steps) await life.live(next);
        expect(life.world.wrong.join('\n')).to.equal('');
        await life.endWell();
        expect(life.world.wrong.join('\n')).to.equal('');
        expect(leftovers(life.world, life.tekton).join('\n')).to.equal('');
      }),
      { numRuns: Number(process.env['LEASE_RUNS'] ?? 100) },
    );
  }).timeout(600_000);
});

// One round: many builds of one kind at once, each disturbed in its own way; perhaps the controller is killed and started
// again. Says what is disturbed and when; what must be true afterwards is said in round-place.ts.
import type { Build, BuildLife } from './build-life.ts';
import { BuildWrites, type Fault } from './build-writes.ts';
import { startChaosProxy, type ChaosProxy } from './chaos-proxy.ts';
import type { ControllerProcess } from './controller-process.ts';
import { label } from './observed-task-run.ts';
import { playTekton, type Tekton } from './play-tekton.ts';
import { RoundPlace } from './round-place.ts';
import { eventually, type Raw } from './scenario.ts';

export class LifeRounds {
  readonly proxy: ChaosProxy;
  readonly #place: RoundPlace;
  readonly #writes: BuildWrites;
  #controller: ControllerProcess | undefined;

  private constructor(place: RoundPlace, proxy: ChaosProxy) {
    this.#place = place;
    this.proxy = proxy;
    this.#writes = new BuildWrites(proxy, (name) => place.buildOf(name));
  }

  /** `pools`: builds of all rounds together that share launched hosts. */
  static async open({ pools = 0 } = {}): Promise<LifeRounds> {
    const place = await RoundPlace.open(pools);
    const rounds = new LifeRounds(place, await startChaosProxy(place.scenario.api));
    await rounds.#startController();
    return rounds;
  }

  async close(): Promise<void> {
    try {
      await this.#place.close();
    } finally {
      await this.proxy.stop();
    }
  }

  /** What an undisturbed build of this kind takes. */
  async writesOf(life: BuildLife): Promise<readonly string[]> {
    return this.#round(
      life,
      1,
      async ([build]) =>
        () =>
          this.#writes.of(build?.name ?? ''),
    );
  }

  /** One build for each fault; the controller lives on. */
  async disturb(life: BuildLife, faults: readonly Fault[]): Promise<void> {
    await this.#round(life, faults.length, async (builds) => {
      builds.forEach(({ name }, index) => this.#writes.fault(name, faults[index] ?? (() => undefined)));
      return () => undefined;
    });
  }

  /** One build for each number of writes; when all have come that far, the controller is killed. Returns how many did. */
  async killAfterWrites(life: BuildLife, numbers: readonly number[]): Promise<number> {
    return this.#round(life, numbers.length, async (builds) => {
      builds.forEach(({ name }, index) => this.#writes.endAfter(name, numbers[index] ?? 0));
      const reached = await this.#killOnceEnded(builds);
      await this.#startController();
      return () => reached;
    });
  }

  /** Each time the controller is started it gets one change through for each build, then it is killed. Returns how often. */
  async killAfterEachWrite(life: BuildLife, count: number): Promise<number> {
    return this.#round(life, count, async (builds) => {
      for (let kills = 0; ; kills += 1) {
        for (const { name } of builds) this.#writes.endAfterChanges(name, 1);
        const reached = await this.#killOnceEnded(builds);
        await this.#startController();
        if (reached === 0) return () => kills;
      }
    });
  }

  /** One build; the controller is killed at the moment of its nth write: before it is sent on, or before it is answered. */
  async killAtWrite(life: BuildLife, nth: number, moment: 'before' | 'after'): Promise<void> {
    await this.#round(life, 1, async ([build]) => {
      await new Promise<void>((resolve) => {
        const kill = (): void => void this.#controller?.kill().then(resolve);
        this.#writes.fault(build?.name ?? '', (count) => {
          if (count !== nth) return undefined;
          if (moment === 'after') return { type: 'lose-answer', once: kill };
          kill();
          return { type: 'cut' };
        });
      });
      this.#writes.clear();
      await this.#startController();
      return () => undefined;
    });
  }

  /** `disturb` arranges everything at once, and returns what is to be told when all is over. */
  async #round<Result>(
    life: BuildLife,
    count: number,
    disturb: (builds: readonly Build[]) => Promise<() => Result>,
  ): Promise<Result> {
    this.#writes.clear();
    const builds = await this.#place.begin(count);
    const tekton = this.#tekton(life);
    const [result] = await Promise.all([disturb(builds), this.#live(life, builds)]);
    await this.#place.settled(builds);
    await tekton.stop();
    const told = result();
    await this.#place.end(life);
    return told;
  }

  /** Returns for how many builds the world ended; the others were over before. */
  async #killOnceEnded(builds: readonly Build[]): Promise<number> {
    await eventually(async () => {
      this.#place.scenario.end.throwIfAborted();
      return builds.every((it) => this.#writes.hasEnded(it.name) || this.#place.isOver(it));
    });
    const reached = builds.filter((it) => this.#writes.hasEnded(it.name)).length;
    await this.#controller?.kill();
    this.#writes.clear();
    return reached;
  }

  /** With one worker for each build: one that gets no answer must not hold up the others. */
  async #startController(): Promise<void> {
    const { scenario } = this.#place;
    const kubeconfig = await scenario.api.writeKubeconfig({ url: this.proxy.url });
    this.#controller = await scenario.startController({ kubeconfig, args: ['--concurrent-reconciles=200'] });
  }

  #tekton({ provision = () => ({}), launch = () => ({}), endless }: BuildLife): Tekton {
    const rules = {
      launch: (taskRun: Raw) => launch(Number(label(taskRun, 'attempt'))),
      provision: (taskRun: Raw) => provision(Number(label(taskRun, 'attempt'))),
      ...(endless ? {} : { build: () => 0 }),
    };
    return playTekton(this.#place.scenario, rules, this.#place.hosts);
  }

  /** Creates the builds, and plays the people. */
  async #live(life: BuildLife, builds: readonly Build[]): Promise<void> {
    await Promise.all(
      builds.map(async (build) => {
        await this.#place.create(build, life);
        await life.people?.(build);
        if (life.pooled) await this.#place.retirePool(build);
      }),
    );
  }
}

// The people of the soak: they start builds, cancel and delete some, and remove what is old, as a pruner does.
import { factsOf, hasFailed, isBuild, isDone, isLive, taskType } from '../support/observed-task-run.ts';
import { oneOf, type Random } from '../support/random.ts';
import type { Raw, Scenario } from '../support/scenario.ts';

const tenants = ['tenant-a', 'tenant-b', 'tenant-c'];
/** More wait than this: nobody starts another one. */
const mostLive = 150;
/** Nobody waits longer than this for one that hangs. */
const patience = 60_000;
const keptFor = 30_000;

export class People {
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #platforms: readonly string[];
  #created = 0;
  #ready: Promise<void> | undefined;

  constructor(scenario: Scenario, random: Random, platforms: readonly string[]) {
    this.#scenario = scenario;
    this.#random = random;
    this.#platforms = platforms;
  }

  /** To be called about once a second. */
  async act(rate: number): Promise<void> {
    this.#ready ??= this.#createTenants();
    await this.#ready;
    const { all } = this.#scenario.watched;
    const live = all.filter((it) => isBuild(it) && isLive(it));
    // Mostly single ones, sometimes a burst.
    const burst = this.#random() < 0.05 ? 20 : 1;
    const arrivals = live.length < mostLive && this.#random() < rate / 2 ? Math.ceil(this.#random() * burst * 2) : 0;
    await Promise.all([
      ...Array.from({ length: arrivals }, () => this.#create()),
      ...live.map((build) => this.#disturb(build)),
      ...all.filter((it) => isOld(it)).map((it) => this.#remove(it)),
    ]);
  }

  /** No build goes on for ever. */
  async endAll(): Promise<void> {
    const builds = this.#scenario.watched.all.filter((it) => isBuild(it) && isLive(it));
    await Promise.all(builds.filter((it) => ageOf(it) > patience).map((it) => this.#cancel(it)));
  }

  async #createTenants(): Promise<void> {
    for (const tenant of tenants) await this.#scenario.api.createNamespace(tenant);
  }

  async #create(): Promise<void> {
    this.#created += 1;
    const platform = this.#random() < 0.01 ? 'linux/unknown' : oneOf(this.#random, this.#platforms);
    await this.#scenario.build(oneOf(this.#random, tenants), `b${this.#created}`, platform);
  }

  async #disturb(build: Raw): Promise<void> {
    const luck = this.#random();
    if (ageOf(build) > patience || luck < 0.004) await this.#cancel(build);
    else if (luck < 0.008) await this.#remove(build);
    else if (luck < 0.012 && factsOf(build)?.ready === true) await this.#retry(build);
  }

  async #cancel({ metadata: { namespace, name } }: Raw): Promise<void> {
    await this.#unlessGone(this.#scenario.finish(namespace, name, 'cancelled'));
  }

  /** Tekton tries the same TaskRun again, in a new pod. */
  async #retry({ metadata: { namespace, name }, status }: Raw): Promise<void> {
    const retriesStatus = [...(status.retriesStatus ?? []), { podName: status.podName, conditions: status.conditions }];
    const podName = `${name}-pod-retry${retriesStatus.length}`;
    await this.#unlessGone(this.#scenario.status(namespace, name, { podName, retriesStatus }));
  }

  async #remove({ metadata: { namespace, name } }: Raw): Promise<void> {
    await this.#unlessGone(this.#scenario.remove(namespace, name));
  }

  /** Somebody else may have been faster. */
  async #unlessGone(request: Promise<void>): Promise<void> {
    await request.catch((error: unknown) => {
      if (!String(error).includes(': 404')) throw error;
    });
  }
}

function ageOf({ metadata }: Raw): number {
  return Date.now() - Date.parse(metadata.creationTimestamp);
}

/** Ended a while ago; of ours only what is kept for its log. */
function isOld(taskRun: Raw): boolean {
  if (taskRun.metadata.deletionTimestamp !== undefined || !isDone(taskRun)) return false;
  const ended = Date.parse(taskRun.status.completionTime ?? taskRun.metadata.creationTimestamp);
  const kept = taskType(taskRun) === undefined || (hasFailed(taskRun) && taskRun.metadata.finalizers === undefined);
  return kept && Date.now() - ended > keptFor;
}

// Where rounds of builds take place: a scenario with a platform and two hosts of one slot for each build of a round, and
// what must be true after a round: nothing left, nothing made twice, every slot free. Disturbs nothing.
import { expect } from 'chai';
import { ready, type Build, type BuildLife } from './build-life.ts';
import { isBuild, isDone, isRefused, label, leaseOf, taskType, userFinalizer } from './observed-task-run.ts';
import { playTekton } from './play-tekton.ts';
import { LaunchedHosts } from './launched-hosts.ts';
import { toyTasks } from './provider-builders.ts';
import {
  hostsOfPlatform,
  launchedPlatformOf,
  platformOf,
  platforms,
  pooledPlatformOf,
  poolTasks,
  roundConfig,
  sshSecret,
} from './round-config.ts';
import { eventually, Scenario, type Raw } from './scenario.ts';

export class RoundPlace {
  readonly scenario: Scenario;
  /** Launched, and not terminated. */
  readonly hosts = new LaunchedHosts();
  #rounds = 0;
  #tenant = '';
  /** Builds of this round. */
  #count = 0;
  /** Names of TaskRuns that were deleted. */
  readonly #gone = new Set<string>();
  /** Names of cleanup TaskRuns by lease. */
  readonly #cleanups = new Map<string, Set<string>>();

  /** Builds by the platform of the pool they alone use; each pool is used once. */
  readonly #poolUsers = new Map<string, string>();
  readonly #retired = new Set<string>();
  readonly #pools: number;
  #configured: Promise<void> = Promise.resolve();

  private constructor(scenario: Scenario, pools: number) {
    this.scenario = scenario;
    this.#pools = pools;
    scenario.watched.onChange((before, after) => {
      if (after === undefined) this.#gone.add(before.metadata.name);
      else this.#noteCleanup(after);
    });
  }

  static async open(pools = 0): Promise<RoundPlace> {
    const scenario = await Scenario.start();
    await scenario.sshSecret(sshSecret);
    await scenario.tasks([...toyTasks(), ...poolTasks()]);
    await scenario.hostConfig(roundConfig(pools, new Set()));
    return new RoundPlace(scenario, pools);
  }

  async close(): Promise<void> {
    await this.scenario.stop();
  }

  /** Names of builds that are to be created; `r<round>n<index>`. */
  async begin(count: number): Promise<Build[]> {
    this.#cleanups.clear();
    this.#gone.clear();
    this.#rounds += 1;
    this.#count = count;
    this.#tenant = `tenant-${this.#rounds}`;
    await this.scenario.api.createNamespace(this.#tenant);
    return Array.from({ length: count }, (_, index) => ({
      scenario: this.scenario,
      namespace: this.#tenant,
      name: `r${this.#rounds}n${index}`,
    }));
  }

  async create(build: Build, life: BuildLife): Promise<void> {
    const index = Number(/\d+$/.exec(build.name)?.[0]);
    if (life.unknownPlatform) return create(build, 'linux-unknown/arm64');
    if (life.pooled) return create(build, this.#poolFor(build));
    await create(build, life.launched ? launchedPlatformOf(index) : platformOf(index));
  }

  /** The build for which something of this name is written. */
  buildOf(name: string): string | undefined {
    const pool = /^linux-p\d+-arm64/.exec(name)?.[0];
    return pool === undefined ? /r\d+n\d+/.exec(name)?.[0] : this.#poolUsers.get(pool);
  }

  /** Its build is over, and the pool it used is taken out of host-config. */
  async retirePool(build: Build): Promise<void> {
    await this.scenario.watched.until(() => this.scenario.end.aborted || this.#isBuildOver(build));
    this.#retired.add(this.#poolOf(build) ?? '');
    // One after the other: of two that are written at once, the older one could stay.
    this.#configured = this.#configured.then(() => this.#configurePools());
    await this.#configured;
  }

  async #configurePools(): Promise<void> {
    if (!this.scenario.end.aborted) await this.scenario.hostConfig(roundConfig(this.#pools, this.#retired));
  }

  isOver(build: Build): boolean {
    if (!this.#isBuildOver(build)) return false;
    const pool = this.#poolOf(build);
    if (pool === undefined) return true;
    const ofPool = this.scenario.watched.all.filter((it) => isOfPool(it, pool));
    return this.#retired.has(pool) && ofPool.every((it) => isKeptLog(it));
  }

  #isBuildOver({ namespace, name }: Build): boolean {
    const { all } = this.scenario.watched;
    const taskRun = all.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
    // Not created yet.
    if (taskRun === undefined && !this.#gone.has(name)) return false;
    const children = all.filter((it) => label(it, 'user-task-name') === name);
    return (
      (taskRun === undefined || (isDone(taskRun) && !taskRun.metadata.finalizers?.includes(userFinalizer))) &&
      children.every(isKeptLog)
    );
  }

  /** Nothing is left of any build. */
  async settled(builds: readonly Build[]): Promise<void> {
    const { invariants, api } = this.scenario;
    await this.scenario.watched.until(() => builds.every((it) => this.isOver(it)));
    await eventually(async () => this.scenario.end.aborted || (await invariants.leftovers(api)).length === 0);
  }

  /** To be called when the builds of this round are settled. */
  async end(life: BuildLife): Promise<void> {
    await this.#expectErrors(life);
    await this.#fillEverySlot();
    expect(this.scenario.invariants.violations).to.deep.equal([]);
    for (const [lease, names] of this.#cleanups) expect([...names], lease).to.have.length(1);
    // Ours first: a build that was pruned says nothing any more about what is left of its host.
    expect(this.hosts.tokens).to.deep.equal([]);
    for (let index = 0; index < platforms; index += 1) this.#expectOneHost(launchedPlatformOf(index).replace('/', '-'));
    for (const pool of this.#poolUsers.keys()) this.#expectOneHost(pool);
    await this.#removeAll((it) => label(it, 'user-task-uid') !== undefined || taskType(it) === 'launch');
    await this.#removeAll((it) => taskType(it) === undefined);
  }

  async #removeAll(which: (taskRun: Raw) => boolean): Promise<void> {
    const { watched } = this.scenario;
    const removed = watched.all.filter(which);
    await Promise.all(removed.map(({ metadata }) => this.scenario.remove(metadata.namespace, metadata.name)));
    await watched.until((all) => !all.some(which));
  }

  #expectOneHost(dashed: string): void {
    expect(this.hosts.peak(dashed), `hosts of ${dashed} at once`).to.be.at.most(1);
  }

  #poolOf({ name }: Build): string | undefined {
    return [...this.#poolUsers].find(([, user]) => user === name)?.[0];
  }

  #poolFor({ name }: Build): string {
    const platform = pooledPlatformOf(this.#poolUsers.size);
    if (this.#poolUsers.size >= this.#pools) throw new Error(`there are ${this.#pools} pools only`);
    this.#poolUsers.set(platform.replace('/', '-'), name);
    return platform;
  }

  /** An error Secret may be gone once its build has read it and ended. */
  async #expectErrors({ error }: BuildLife): Promise<void> {
    const rejected = this.#builds().filter(isRefused);
    expect(rejected).to.have.length(error === undefined ? 0 : this.#builds().length);
    const { items } = await this.scenario.api.ask('GET', `/api/v1/namespaces/${this.#tenant}/secrets`);
    for (const secret of items)
      expect(Buffer.from(secret.data.error ?? '', 'base64').toString()).to.match(error ?? /none is expected/);
  }

  #builds(): readonly Raw[] {
    return this.scenario.watched.all.filter(({ metadata }) => metadata.namespace === this.#tenant);
  }

  /** Every slot of every host that was used is taken at once by builds that follow. */
  async #fillEverySlot(): Promise<void> {
    const used = this.#count;
    const namespace = `${this.#tenant}-next`;
    await this.scenario.api.createNamespace(namespace);
    const tekton = playTekton(this.scenario);
    const next = Array.from({ length: used * hostsOfPlatform }, (_, index) => ({
      build: { scenario: this.scenario, namespace, name: `next${index}` },
      platform: platformOf(index % used),
    }));
    await Promise.all(next.map(({ build, platform }) => create(build, platform)));
    await Promise.all(next.map(({ build }) => ready(build)));
    await Promise.all(next.map(({ build }) => this.scenario.finish(namespace, build.name, 'succeeded')));
    await this.settled(next.map(({ build }) => build));
    await tekton.stop();
  }

  #noteCleanup(taskRun: Raw): void {
    if (taskType(taskRun) !== 'clean') return;
    const lease = leaseOf(taskRun);
    this.#cleanups.set(lease, (this.#cleanups.get(lease) ?? new Set()).add(taskRun.metadata.name));
  }
}

/** And waits until everybody sees it as a build. */
async function create({ scenario, namespace, name }: Build, platform: string): Promise<void> {
  const { uid } = (await scenario.build(namespace, name, platform)).metadata;
  await scenario.watched.until((all) => all.find((it) => it.metadata.uid === uid && isBuild(it)));
}

/** Of TaskRuns of ours, those that may stay for their logs. */
const kept: ReadonlySet<string | undefined> = new Set(['provision', 'launch']);

function isKeptLog(taskRun: Raw): boolean {
  return kept.has(taskType(taskRun)) && isDone(taskRun) && (taskRun.metadata.finalizers ?? []).length === 0;
}

function isOfPool(taskRun: Raw, pool: string): boolean {
  return ['launch', 'terminate'].includes(taskType(taskRun) ?? '') && label(taskRun, 'target-platform') === pool;
}

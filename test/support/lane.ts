// One test's own corner of a scenario: a namespace, a platform and hosts nobody else uses, so that tests of one file
// share an API server and a controller in any order. Waits by watching; decides nothing.
import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { annotation, factsOf, hostOf, isLive, label, userFinalizer } from './observed-task-run.ts';
import { launchedConfig } from './provider-builders.ts';
import { eventually, operatorNamespace, type OurType, type Raw, type Scenario } from './scenario.ts';
import type { Ending } from './task-run-status.ts';
import type { BuildOptions } from './user-task-run.ts';

export interface LaneOptions {
  /** Slots of each host; default: one host of one slot. Hosts are called `<lane>-a`, `<lane>-b`, …. */
  readonly slots?: readonly number[];
  /** Its hosts are launched, one for each build, by Tasks of this type: keys of the platform beside `type`. */
  readonly launched?: Readonly<Record<string, string>>;
  /** Begins with the OS, `linux` by default: `windows`, `macos`. */
  readonly os?: string;
  /** More keys of host-config; `{platform}` in a key or value stands for the platform with a dash. */
  readonly config?: Readonly<Record<string, string>>;
}

/** Longer than any machine needs; then a test says what it waited for. */
const patience = 60_000;

let lanes = 0;

/** Host-config becomes that of this lane alone. */
export async function openLane(
  scenario: Scenario,
  { launched, slots = launched === undefined ? [1] : [], config = {}, os = 'linux' }: LaneOptions = {},
): Promise<Lane> {
  lanes += 1;
  const lane = new Lane(scenario, `t${lanes}`, os);
  await scenario.api.createNamespace(lane.tenant);
  await scenario.sshSecret(lane.sshSecret);
  slots.forEach((number, index) => lane.setHost(index, number));
  const own = { 'max-instances': '1', 'ssh-secret': lane.sshSecret, ...launched };
  await lane.configure({ ...(launched === undefined ? {} : launchedConfig(own, lane.platform)), ...config });
  return lane;
}

export class Lane {
  readonly scenario: Scenario;
  readonly name: string;
  readonly tenant: string;
  readonly platform: string;
  readonly dashed: string;
  readonly sshSecret: string;
  #config: Record<string, string> = {};
  #passed = 0;

  constructor(scenario: Scenario, name: string, os: string) {
    this.scenario = scenario;
    this.name = name;
    this.tenant = `tenant-${name}`;
    this.platform = `${os}-${name}/arm64`;
    this.dashed = `${os}-${name}-arm64`;
    this.sshSecret = `key-${name}`;
  }

  /** Its nth host, from 0. */
  host(index = 0): string {
    return `${this.name}-${'abcdefghijklmnopqrstuvwxyz'.charAt(index)}`;
  }

  address(index = 0): string {
    return `10.9.${this.name.slice(1)}.${index + 1}`;
  }

  setHost(index: number, slots: number, changes: Readonly<Record<string, string>> = {}): void {
    const fields = {
      address: this.address(index),
      user: 'builder',
      platform: this.platform,
      secret: this.sshSecret,
      concurrency: String(slots),
      ...changes,
    };
    for (const [field, value] of Object.entries(fields)) this.#config[`host.${this.host(index)}.${field}`] = value;
  }

  removeHost(index: number): void {
    const keep = ([key]: [string, string]): boolean => !key.startsWith(`host.${this.host(index)}.`);
    this.#config = Object.fromEntries(Object.entries(this.#config).filter(keep));
  }

  /** Adds keys (null: removes one) and writes host-config. */
  async configure(changes: Readonly<Record<string, string | null>> = {}): Promise<void> {
    const filled = (text: string): string => text.replaceAll('{platform}', this.dashed);
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) delete this.#config[filled(key)];
      else this.#config[filled(key)] = filled(value);
    }
    await this.scenario.hostConfig(this.#config);
  }

  /** Host-config as this lane has it. */
  get config(): Readonly<Record<string, string>> {
    return this.#config;
  }

  async build(name: string, options: BuildOptions = {}): Promise<Raw> {
    return this.scenario.build(this.tenant, name, this.platform, options);
  }

  /** New builds, made one after the other, each with its host ready; as they are then. */
  async hold(...names: string[]): Promise<Raw[]> {
    for (const name of names) await this.build(name);
    return Promise.all(names.map((name) => this.ready(name)));
  }

  /** New builds that wait, in this order. */
  async queue(...names: string[]): Promise<void> {
    for (const name of names) await this.build(name);
    await Promise.all(names.map((name) => this.waits(name)));
  }

  /** The last builds of this lane end. */
  async endAll(...names: string[]): Promise<void> {
    for (const name of names) await this.finish(name);
    await this.expectClean();
  }

  /** A new build goes all the way: whatever came before it was looked at. */
  async passes(): Promise<void> {
    this.#passed += 1;
    const name = `passes-${this.#passed}`;
    await this.hold(name);
    await this.finish(name);
    await this.released(name);
  }

  /** The build as it is now; undefined when it is gone. */
  get(name: string, namespace = this.tenant, among = this.scenario.watched.all): Raw {
    return among.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  }

  /** Builds of this lane that hold a slot, by name. */
  holders(): string[] {
    const mine = this.scenario.watched.all.filter((it) => it.metadata.namespace === this.tenant);
    return mine
      .filter((it) => isLive(it) && hostOf(it) !== undefined)
      .map((it): string => it.metadata.name)
      .sort(compareText);
  }

  /** Waits until this build is as wanted. */
  until(name: string, is: (build: Raw) => boolean): Promise<Raw> {
    return this.scenario.watched.until(() => {
      const build = this.get(name);
      return build !== undefined && is(build) && build;
    });
  }

  assigned(name: string): Promise<Raw> {
    return this.until(name, (build) => label(build, 'assigned-host') !== undefined);
  }

  ready(name: string): Promise<Raw> {
    return this.until(name, (build) => factsOf(build)?.ready === true);
  }

  /** It waits, and people can see that. */
  waits(name: string): Promise<Raw> {
    return this.until(name, (build) => annotation(build, 'queue-position') !== undefined);
  }

  /** Its finalizer and its label are gone, or it is gone altogether. */
  async released(name: string): Promise<void> {
    await this.scenario.watched.until(() => {
      const build = this.get(name);
      if (build === undefined) return this.get(name, this.tenant, this.scenario.watched.ever) !== undefined;
      return !build.metadata.finalizers?.includes(userFinalizer) && hostOf(build) === undefined;
    });
  }

  /** TaskRuns of ours for one build, those of one type. */
  ours(type: OurType, name: string): Raw[] {
    return this.#of(this.scenario.watched.all, type, name);
  }

  /** The first TaskRun of ours of that type for one build, also when it is gone again. */
  first(type: OurType, name: string): Promise<Raw> {
    return this.scenario.watched.until(() => this.everOurs(type, name)[0]);
  }

  /** Also those that are gone, as last seen. */
  everOurs(type: OurType, name: string): Raw[] {
    return this.#of(this.scenario.watched.ever, type, name);
  }

  /** Its provision or cleanup TaskRun that runs now. */
  running(type: OurType, name: string): Promise<Raw> {
    return this.scenario.watched.until(() => this.ours(type, name).find(isLive));
  }

  /** The one that took the place of another. */
  next(type: OurType, name: string, than: Raw): Promise<Raw> {
    const { uid } = than.metadata;
    return this.scenario.watched.until(() => this.ours(type, name).find((it) => isLive(it) && it.metadata.uid !== uid));
  }

  /** What its error Secret says. */
  async error(name: string): Promise<string> {
    const secret = await eventually(() => this.scenario.secret(this.tenant, `multi-platform-ssh-${name}`));
    expect(Object.keys(secret.data)).to.deep.equal(['error']);
    return Buffer.from(secret.data.error, 'base64').toString();
  }

  finish(name: string, ending: Ending = 'succeeded'): Promise<void> {
    return this.scenario.finish(this.tenant, name, ending);
  }

  /** Ends a TaskRun of ours. */
  end(taskRun: Raw, ending: Ending, results: Record<string, string> = {}): Promise<void> {
    return this.scenario.finish(operatorNamespace, taskRun.metadata.name, ending, results);
  }

  /** All Events of one build so far, oldest first, once there is one with this reason. */
  async eventsUntil(reason: string, name: string): Promise<Raw[]> {
    return eventually(async () => {
      const events = (await this.scenario.events(this.tenant)).filter((it) => it.involvedObject.name === name);
      const inOrder = events.sort((a, b) => a.firstTimestamp.localeCompare(b.firstTimestamp));
      return inOrder.some((it) => it.reason === reason) && inOrder;
    });
  }

  /** All its builds ended, nothing of ours is left of them, and nothing was ever wrong. */
  async expectClean(): Promise<void> {
    const { invariants, api } = this.scenario;
    const giveUp = Date.now() + patience;
    let left = await invariants.leftovers(api, this.tenant);
    while (left.length > 0 && Date.now() < giveUp) {
      await sleep(50);
      left = await invariants.leftovers(api, this.tenant);
    }
    expect(left).to.deep.equal([]);
    expect(invariants.violations.filter((it) => it.includes(`${this.tenant}/`))).to.deep.equal([]);
  }

  #of(taskRuns: readonly Raw[], type: string, name: string): Raw[] {
    const mine = { 'user-task-name': name, 'user-task-namespace': this.tenant, 'task-type': type };
    return taskRuns.filter((it) => Object.entries(mine).every(([key, value]) => label(it, key) === value));
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

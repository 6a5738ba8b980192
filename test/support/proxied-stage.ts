// A stage for trouble on the way to the API server: each test has hosts of its own, and a controller that sees the API
// server through a proxy only. After every test nothing may be left, whatever the trouble was.
import { startChaosProxy, type ChaosProxy } from './chaos-proxy.ts';
import type { ControllerProcess } from './controller-process.ts';
import { openLane, type Lane } from './lane.ts';
import type { TektonRules } from './play-tekton.ts';
import type { Scenario } from './scenario.ts';
import { setStage } from './stage.ts';

/** To be called in a `describe`. */
export function setProxiedStage(slots: readonly number[], tekton: TektonRules): ProxiedStage {
  // First of all: a controller has to end by itself, whatever it went through.
  afterEach(() => stage.close());
  const { scenario } = setStage({ controller: 'each test', tekton });
  const stage = new ProxiedStage(scenario);
  beforeEach(() => stage.open(slots));
  return stage;
}

class ProxiedStage {
  readonly scenario: Scenario;
  #proxy: ChaosProxy | undefined;
  #lane: Lane | undefined;
  #controller: ControllerProcess | undefined;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
  }

  get proxy(): ChaosProxy {
    if (this.#proxy === undefined) throw new Error('there is a proxy only while a test runs');
    return this.#proxy;
  }

  get lane(): Lane {
    if (this.#lane === undefined) throw new Error('there is a lane only while a test runs');
    return this.#lane;
  }

  async open(slots: readonly number[]): Promise<void> {
    this.#proxy = await startChaosProxy(this.scenario.api);
    this.#lane = await openLane(this.scenario, { slots });
  }

  async close(): Promise<void> {
    await this.#controller?.stop();
    await this.#proxy?.stop();
  }

  async startController(kubeconfig?: string): Promise<ControllerProcess> {
    const viaProxy = kubeconfig ?? (await this.scenario.api.writeKubeconfig({ url: this.proxy.url }));
    this.#controller = await this.scenario.startController({ kubeconfig: viaProxy });
    return this.#controller;
  }

  /** So many builds at once; returns their names. */
  async buildAll(count: number, prefix = 'b'): Promise<string[]> {
    const names = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
    await Promise.all(names.map((name) => this.lane.build(name)));
    return names;
  }

  /** Each got a host, also when it is over already. */
  async claimed(names: readonly string[]): Promise<void> {
    const { watched, invariants } = this.scenario;
    const { tenant } = this.lane;
    const isClaimed = (name: string): boolean =>
      invariants.claims.some((it) => it.namespace === tenant && it.name === name);
    await watched.until(() => names.every((name) => isClaimed(name)));
  }

  /** They went through. */
  async finished(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.lane.released(name)));
    await this.scenario.expectNothingLeft();
  }
}

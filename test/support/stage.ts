// What most scenario files play on: one API server, a controller and Tekton, there for all tests of a `describe` and gone
// without a trace after it; a test that failed is explained. Knows nothing of builds.
import type { ControllerProcess, StartOptions } from './controller-process.ts';
import { LaunchedHosts } from './launched-hosts.ts';
import { playTekton, type Tekton, type TektonRules } from './play-tekton.ts';
import { Scenario } from './scenario.ts';

export interface StageOptions {
  /** What is there before the controller. */
  readonly prepare?: (scenario: Scenario) => Promise<void>;
  /** `each test`: a test starts its own controllers, and they end with it. */
  readonly controller?: ((scenario: Scenario) => Promise<Partial<StartOptions>>) | 'each test';
  /** What becomes of TaskRuns, where a test does not say otherwise. `nobody`: tests play Tekton themselves. */
  readonly tekton?: TektonRules | 'nobody';
}

/** To be called in a `describe`, before its own hooks. */
export function setStage(options: StageOptions = {}): Stage {
  const stage = new Stage(options);
  before(() => stage.open());
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') console.error(stage.scenario.explain());
    await stage.clear();
  });
  after(() => stage.close());
  return stage;
}

export class Stage {
  readonly scenario = new Scenario();
  /** Launched, and not terminated. */
  readonly hosts = new LaunchedHosts();
  readonly #options: StageOptions;
  #controller: ControllerProcess | undefined;
  #tekton: Tekton | undefined;
  #isOtherwise = false;

  constructor(options: StageOptions) {
    this.#options = options;
  }

  /** The one that was started with the stage. */
  get controller(): ControllerProcess {
    if (this.#controller === undefined) throw new Error('each test of this stage starts its own controllers');
    return this.#controller;
  }

  /** Until this test ends. */
  async playOtherwise(tekton: TektonRules | 'nobody'): Promise<void> {
    await this.#play(tekton);
    this.#isOtherwise = true;
  }

  async open(): Promise<void> {
    const { prepare, controller } = this.#options;
    await this.scenario.begin();
    await prepare?.(this.scenario);
    // Without it no controller gets ready.
    await this.scenario.hostConfig({});
    if (controller !== 'each test')
      this.#controller = await this.scenario.startController(await controller?.(this.scenario));
    this.scenario.configReader = this.#controller;
    await this.#playAsAlways();
  }

  async clear(): Promise<void> {
    if (this.#options.controller === 'each test') await this.scenario.stopControllers();
    if (this.#isOtherwise) await this.#playAsAlways();
  }

  async close(): Promise<void> {
    try {
      await this.#tekton?.stop();
    } finally {
      await this.scenario.stop();
    }
  }

  async #playAsAlways(): Promise<void> {
    await this.#play(this.#options.tekton ?? {});
    this.#isOtherwise = false;
  }

  async #play(tekton: TektonRules | 'nobody'): Promise<void> {
    await this.#tekton?.stop();
    this.#tekton = tekton === 'nobody' ? undefined : playTekton(this.scenario, tekton, this.hosts);
  }
}

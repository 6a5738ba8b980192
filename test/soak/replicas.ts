// Two replicas of the controller, one of which is killed at random moments and started again a little later.
import type { ControllerProcess } from '../support/controller-process.ts';
import type { Random } from '../support/random.ts';
import type { Scenario } from '../support/scenario.ts';

const killEvery = { least: 20_000, most: 60_000 };
const longestAway = 5_000;

export class Replicas {
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #running: (ControllerProcess | undefined)[] = [undefined, undefined];
  #started = 0;
  #nextKill: number;
  #nextStart = 0;
  kills = 0;

  constructor(scenario: Scenario, random: Random) {
    this.#scenario = scenario;
    this.#random = random;
    this.#nextKill = Date.now() + this.#pause();
  }

  async start(): Promise<void> {
    for (const index of this.#running.keys()) await this.#startOne(index);
  }

  /** To be called about once a second. */
  async act(): Promise<void> {
    const now = Date.now();
    if (now >= this.#nextKill) {
      await this.#running[Math.floor(this.#random() * this.#running.length)]?.kill();
      this.kills += 1;
      this.#nextKill = now + this.#pause();
      this.#nextStart = now + this.#random() * longestAway;
    }
    if (now < this.#nextStart) return;
    // One that lost its Lease has ended by itself.
    for (const [index, replica] of this.#running.entries()) if (replica?.ended !== false) await this.#startOne(index);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map(async (replica) => replica?.kill()));
  }

  /** Half of them as a restarted container, which knows its Lease; half as a new pod. */
  async #startOne(index: number): Promise<void> {
    this.#started += 1;
    const identity = this.#random() < 0.5 ? `replica-${index}` : `replica-${index}-${this.#started}`;
    const args = ['--leader-elect', '--log-level=warn'];
    this.#running[index] = await this.#scenario.startController({ identity, args });
  }

  #pause(): number {
    return killEvery.least + this.#random() * (killEvery.most - killEvery.least);
  }
}

// Builds come, end, fail, are cancelled, deleted and tried again at random, host-config changes, and one of two replicas
// is killed every now and then. What must hold is checked all the time; figures are printed at the end.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { seededRandom } from '../support/random.ts';
import { Scenario } from '../support/scenario.ts';
import { playTekton } from '../support/play-tekton.ts';
import { Figures } from './figures.ts';
import { History } from './history.ts';
import { hostsOfSoak } from './hosts-of-soak.ts';
import { People } from './people.ts';
import { Replicas } from './replicas.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    /** Builds that arrive in a second, on average. */
    rate: { type: 'string', default: '1.5' },
  },
});
const random = seededRandom(Number(values.seed));
const between = (least: number, most: number): number => least + random() * (most - least);
const until = Date.now() + Number(values.minutes) * 60_000;
/** For what is under way when arrivals end: cleanups are tried again with growing pauses. */
const patience = 15 * 60_000;
const reportEvery = 60_000;

console.log(`${values.minutes} minutes, ${values.rate} builds a second, --seed ${values.seed}`);
const scenario = await Scenario.start();
const hosts = await hostsOfSoak(scenario, random);
const figures = new Figures(scenario);
const history = new History(scenario);
const replicas = new Replicas(scenario, random);
const people = new People(scenario, random, hosts.platforms);
await replicas.start();
const tekton = playTekton(scenario, {
  provision: () => {
    const luck = random();
    if (luck < 0.1) return { after: between(0, 1000), outcome: 'failed', results: { REASON: 'ConnectionLost' } };
    if (luck < 0.12) return { outcome: 'hangs' };
    return { after: between(0, 1500) };
  },
  clean: () => ({ after: between(0, 800), outcome: random() < 0.05 ? 'failed' : 'succeeded' }),
  build: () => between(0, 8000),
  cancelAfter: 200,
});

try {
  await soak();
  await windDown();
} finally {
  await replicas.stop();
  await tekton.stop().catch((error: unknown) => console.log('Tekton could not be played:', error));
  await scenario.stop();
}

async function soak(): Promise<void> {
  let nextReport = Date.now() + reportEvery;
  while (Date.now() < until) {
    await Promise.all([people.act(Number(values.rate)), replicas.act(), hosts.act(), sleep(1000)]);
    if (Date.now() < nextReport) continue;
    nextReport += reportEvery;
    console.log(`${new Date().toISOString()} ${figures.line()}, ${replicas.kills} kills`);
  }
}

/** Everything ends; nothing may be left. */
async function windDown(): Promise<void> {
  const giveUp = Date.now() + patience;
  figures.windDown();
  await hosts.open();
  let left: string[] = ['?'];
  let nextReport = Date.now() + reportEvery;
  while (left.length > 0 && Date.now() < giveUp) {
    await people.endAll();
    await replicas.act();
    await sleep(1000);
    left = await scenario.invariants.leftovers(scenario.api);
    if (Date.now() < nextReport) continue;
    nextReport += reportEvery;
    console.log(`${new Date().toISOString()} ${left.length} left: ${left.slice(0, 5).join('; ')}`);
  }
  const { violations } = scenario.invariants;
  console.log(`${figures.line()}, ${replicas.kills} kills, ${hosts.edits} edits of host-config`);
  console.log(`${left.length} left over, ${violations.length} violations, --seed ${values.seed}`);
  for (const what of [...violations, ...left].slice(0, 50)) {
    console.log(`- ${what}`);
    for (const step of history.of(what)) console.log(`    ${step}`);
  }
  process.exitCode = left.length + violations.length > 0 ? 1 : 0;
}

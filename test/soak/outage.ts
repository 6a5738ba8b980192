// The API server answers nothing for a while, then is gone for a while, then its watches fall silent for a while, each with
// builds in all phases. Afterwards everything goes on, and nothing is left.
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChaosProxy } from '../support/chaos-proxy.ts';
import { openLane } from '../support/lane.ts';
import { playTekton } from '../support/play-tekton.ts';
import { Scenario } from '../support/scenario.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '1' } } });
const pause = Number(values.minutes) * 60_000;
/** A silent watch is noticed after a minute and a half. */
const patience = 5 * 60_000;

const scenario = await Scenario.start();
const proxy = await startChaosProxy(scenario.api);
const lane = await openLane(scenario, { slots: [2, 2] });
const kubeconfig = await scenario.api.writeKubeconfig({ url: proxy.url });
const controller = await scenario.startController({ kubeconfig });
const tekton = playTekton(scenario, { build: () => 3000 });
const watched = ['taskruns', 'configmaps', 'secrets', 'events'];
const troubles: readonly [string, () => () => void][] = [
  ['no answers', () => proxy.add({ mischief: { type: 'silence' } })],
  [
    'gone',
    () => {
      proxy.down();
      return () => proxy.up();
    },
  ],
  [
    'silent watches',
    () => {
      for (const resource of watched) proxy.mute(resource);
      return () => undefined;
    },
  ],
];

try {
  for (const [index, [what, begin]] of troubles.entries()) await goThrough(what, `trouble${index}`, begin);
} finally {
  await controller.stop();
  await tekton.stop();
  await proxy.stop();
  await scenario.stop();
}

async function goThrough(what: string, prefix: string, begin: () => () => void): Promise<void> {
  const names = Array.from({ length: 12 }, (_, index) => `${prefix}-${index}`);
  await Promise.all(names.map((name) => lane.build(name)));
  await lane.assigned(`${prefix}-0`);
  const end = begin();
  await sleep(pause);
  end();
  const ended = Date.now();
  let left = ['?'];
  while (left.length > 0 && Date.now() - ended < patience) {
    await sleep(100);
    left = await scenario.invariants.leftovers(scenario.api);
  }
  const { violations } = scenario.invariants;
  console.log(`${what} for ${pause / 1000} s: all done ${((Date.now() - ended) / 1000).toFixed(1)} s later`);
  for (const problem of [...left, ...violations]) console.log(`- ${problem}`);
  if (left.length + violations.length > 0) process.exitCode = 1;
}

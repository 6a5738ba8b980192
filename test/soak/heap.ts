// What the controller still holds after many builds: its heap before and after, and what the difference is made of.
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';
import { userFinalizer, factsOf, isBuild } from '../support/observed-task-run.ts';
import { playTekton } from '../support/play-tekton.ts';
import { Scenario } from '../support/scenario.ts';
import { readHeap, type Heap } from './inspected.ts';

const { values } = parseArgs({
  options: {
    builds: { type: 'string', default: '50000' },
    /** How many run before the first look: compiled code and pools have settled then. */
    warmup: { type: 'string', default: '2000' },
    'in-flight': { type: 'string', default: '40' },
  },
});
const [builds, warmup, inFlight] = [Number(values.builds), Number(values.warmup), Number(values['in-flight'])];
const tenant = 'tenant';
const platform = 'linux/arm64';
const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(2);
/** Below this the difference is noise: timers, counters, one more connection. */
const bytesPerBuild = 20;

const scenario = await Scenario.start();
// It remembers every build, and is not what is measured here.
scenario.invariants.end();
await scenario.api.createNamespace(tenant);
await scenario.sshSecret('key');
await scenario.hostConfig(hostConfig(Math.ceil(inFlight / 4)));
const inspectorPort = await freePort();
const controller = await scenario.startController({
  nodeFlags: [
    '--optimize-for-size',
    '--max-semi-space-size=4',
    '--v8-pool-size=0',
    `--inspect=127.0.0.1:${inspectorPort}`,
  ],
  args: ['--log-level=warn'],
});
const tekton = playTekton(scenario, { build: () => 0 });
try {
  await run('warm-up', warmup);
  const before = await readHeap(inspectorPort);
  const started = Date.now();
  await run('build', builds);
  const seconds = (Date.now() - started) / 1000;
  const after = await readHeap(inspectorPort);
  report(before, after, seconds);
} finally {
  await tekton.stop();
  await controller.stop();
  await scenario.stop();
}

/** So many builds, one after the other, with some in flight at any time; each is deleted when it is over. */
async function run(name: string, count: number): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) {
      const build = `${name}-${next}`;
      next += 1;
      if (next % 1000 === 0) console.log(`${new Date().toISOString()} ${next} of ${count} (${name})`);
      await scenario.build(tenant, build, platform);
      await scenario.watched.until((all) => {
        const it = all.find(({ metadata }) => metadata.name === build);
        // It was claimed, and is released.
        return it !== undefined && isBuild(it) && hasEnded(it);
      });
      await scenario.remove(tenant, build);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  // Cleanups of the last ones.
  while (scenario.watched.all.length > 0) await sleep(100);
}

// oxlint-disable-next-line typescript/no-explicit-any
function hasEnded(build: any): boolean {
  const released = !(build.metadata.finalizers ?? []).includes(userFinalizer);
  return build.status.completionTime !== undefined && released && factsOf(build)?.claim === undefined;
}

function report(before: Heap, after: Heap, seconds: number): void {
  const grown = after.usedBytes - before.usedBytes;
  console.log(
    `${builds} builds in ${seconds.toFixed(0)} s, ${(builds / seconds).toFixed(1)} a second, ${inFlight} in flight`,
  );
  console.log(`heap in use after collection: ${megabytes(before.usedBytes)} → ${megabytes(after.usedBytes)} MiB`);
  console.log(`resident: ${megabytes(before.rssBytes)} → ${megabytes(after.rssBytes)} MiB`);
  console.log(`${(grown / builds).toFixed(1)} bytes a build; what grew:`);
  const growth = [...after.kinds].map(([kind, now]) => {
    const then = before.kinds.get(kind) ?? { count: 0, bytes: 0 };
    return { kind, count: now.count - then.count, bytes: now.bytes - then.bytes };
  });
  for (const { kind, count, bytes } of growth.sort((a, b) => b.bytes - a.bytes).slice(0, 15))
    console.log(`${String(bytes).padStart(10)} bytes ${String(count).padStart(8)} × ${kind}`);
  process.exitCode = grown / builds > bytesPerBuild ? 1 : 0;
}

function hostConfig(hosts: number): Record<string, string> {
  // Nobody plays updates here.
  const config: Record<string, string> = { 'update-interval': 'never' };
  for (let index = 0; index < hosts; index += 1) {
    const fields = { address: `10.1.1.${index + 1}`, user: 'builder', platform, secret: 'key', concurrency: '4' };
    for (const [field, value] of Object.entries(fields)) config[`host.h${index}.${field}`] = value;
  }
  return config;
}

// Builds that people cancel or delete, at every moment of their life: nothing of them stays on the host or in the cluster.
import { expect } from 'chai';
import { startBuild, untilDone } from './build.ts';
import { untilClean } from './cleanliness.ts';
import { cancel, hasSecret, isWaiting, remove, untilBuild, untilGone, untilOurs, type BuildName } from './interrupt.ts';
import { installScriptTask } from './script-task.ts';
import { shared, singleSlotPlatform, useNamespace } from './shared-cluster.ts';
import { until } from './until.ts';

const namespace = 'interrupted-build';

interface Moment {
  readonly name: string;
  readonly script: string;
  readonly platform?: string;
  readonly spec?: object;
  /** Returns when the build has come this far. */
  readonly reached: (build: BuildName) => Promise<unknown>;
}

/** Something on the host runs with these words in its arguments. */
async function untilOnHost(words: string): Promise<void> {
  const look = `ps -eo args --no-headers | grep -F -- '${words}' | grep -v grep || true`;
  await until(
    async () => ((await shared().host.run(look)).includes(words) ? true : undefined),
    () => `nothing like '${words}' ever ran on the host`,
  );
}

/** The end of the transfer never comes: its senders stand still. */
async function holdTransfer(): Promise<void> {
  const held = await shared().host.run(
    `end=$((SECONDS + 120)); until pids=$(pgrep -f '[r]sync --server.* --sender'); do
       [ $SECONDS -lt $end ] || exit 1
       sleep 0.01
     done; kill -STOP $pids; echo held`,
  );
  expect(held).to.equal('held\n');
}

const moments: readonly Moment[] = [
  {
    name: 'while it is prepared',
    script: 'sleep 4711',
    reached: (build) => untilOurs(shared().cluster, build, 'provision'),
  },
  {
    name: 'when its Secret is there and its pod has no node',
    script: 'sleep 4712',
    spec: { podTemplate: { nodeSelector: { 'no-node': 'has-this' } } },
    reached: (build) => untilBuild(shared().cluster, build, 'given its Secret', hasSecret),
  },
  { name: 'while its script runs', script: 'sleep 4713', reached: ({ name }) => untilOnHost(`sleep 4713 ${name}`) },
  {
    name: 'while its files come back',
    script: 'head -c 300000000 /dev/urandom >large',
    reached: holdTransfer,
  },
];

describe('a build that is stopped', function () {
  this.timeout(600_000);
  before(async () => {
    await useNamespace(namespace);
    await installScriptTask(namespace);
  });

  const start = async (name: string, { script, platform = 'linux/amd64', spec }: Omit<Moment, 'reached' | 'name'>) => {
    const build = { namespace, name };
    // Two builds of one moment are told apart by an argument their script does not use.
    const files = { script: script.replace(/^(sleep \d+)$/, `exec -a '$1 ${name}' $1`) };
    await startBuild(shared().cluster, {
      ...build,
      platform,
      files,
      task: 'script-remote',
      ...(spec === undefined ? {} : { spec }),
    });
    return build;
  };

  for (const [n, moment] of moments.entries()) {
    it(`${moment.name}: cancelled`, async () => {
      const { cluster } = shared();
      const build = await start(`cancelled-${n}`, moment);
      await moment.reached(build);
      await cancel(cluster, build);
      const done = await untilDone(cluster, build);
      expect(done.status.conditions[0]).to.include({ status: 'False', reason: 'TaskRunCancelled' });
      await untilClean(namespace);
    });

    it(`${moment.name}: deleted`, async () => {
      const { cluster } = shared();
      const build = await start(`deleted-${n}`, moment);
      await moment.reached(build);
      await remove(cluster, build);
      await untilGone(cluster, build);
      await untilClean(namespace);
    });
  }

  it('while its host is cleaned: deleted', async () => {
    const { cluster } = shared();
    const build = await start('cleaned', { script: 'true' });
    await untilOurs(cluster, build, 'clean');
    await remove(cluster, build);
    await untilGone(cluster, build);
    await untilClean(namespace);
  });

  it('while it waits for a slot: cancelled and deleted, and the one that has the slot goes on', async () => {
    const { cluster } = shared();
    const platform = singleSlotPlatform;
    const first = await start('first', { script: 'until [ -e /tmp/go ]; do sleep 0.2; done; sleep 4714', platform });
    await untilBuild(cluster, first, 'given its Secret', hasSecret);
    const script = 'true';
    const waiting = await Promise.all(['second', 'third'].map((name) => start(name, { script, platform })));
    await Promise.all(waiting.map((build) => untilBuild(cluster, build, 'waiting', isWaiting)));
    await cancel(cluster, waiting[0]!);
    await remove(cluster, waiting[1]!);
    await untilGone(cluster, waiting[1]!);
    const done = await untilDone(cluster, waiting[0]!);
    expect(done.status.conditions[0]).to.include({ reason: 'TaskRunCancelled' });
    const last = await start('last', { script, platform });
    await cancel(cluster, first);
    expect((await untilDone(cluster, last)).status.conditions[0].status).to.equal('True');
    await untilClean(namespace);
  });
});

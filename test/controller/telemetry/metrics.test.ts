import { expect } from 'chai';
import { Metrics } from '../../../controller/telemetry/metrics.ts';
import type { MetricsSnapshot, PlatformSnapshot } from '../../../controller/telemetry/metrics-snapshot.ts';
import { parsePlatform, type Platform } from '../../../controller/model/platform.ts';

const prefix = 'multi_platform_controller_';

function platform(text: string): Platform {
  const parsed = parsePlatform(text);
  if (parsed === undefined) throw new Error(`not a platform: ${text}`);
  return parsed;
}

function aPlatform(text: string, changes: Partial<PlatformSnapshot> = {}): PlatformSnapshot {
  const empty = { poolSize: 0, running: {}, waiting: {}, oldestWaiting: 0, hosts: [] };
  return { platform: platform(text), ...empty, ...changes };
}

function aSnapshot(changes: Partial<MetricsSnapshot> = {}): MetricsSnapshot {
  return { leader: true, configProblems: { error: 0, warning: 0 }, platforms: [], ...changes };
}

/** Sample lines of the controller's own metrics, without the prefix. */
async function samplesOf(metrics: Metrics): Promise<string[]> {
  const text = await metrics.render();
  return text
    .split('\n')
    .filter((line) => line.startsWith(prefix))
    .map((line) => line.slice(prefix.length));
}

async function typesOf(metrics: Metrics): Promise<Record<string, string>> {
  const matches = (await metrics.render()).matchAll(/^# TYPE (\S+) (\S+)$/gm);
  return Object.fromEntries([...matches].map(([, name = '', type = '']) => [name, type]));
}

describe('Metrics', () => {
  it('has exactly the names and types other programs read', async () => {
    const types = await typesOf(new Metrics(() => aSnapshot()));
    const own = (names: Record<string, string>): Record<string, string> =>
      Object.fromEntries(Object.entries(names).map(([name, type]) => [prefix + name, type]));
    expect(types).to.deep.equal({
      ...own({
        host_allocation_time: 'histogram',
        wait_time: 'histogram',
        task_run_time: 'histogram',
        provisioning_failures: 'counter',
        provisioning_successes: 'counter',
        cleanup_failures: 'counter',
        host_allocation_failures: 'counter',
        platform_pool_size: 'gauge',
        running_tasks: 'gauge',
        waiting_tasks: 'gauge',
        queue_oldest_seconds: 'gauge',
        host_slots: 'gauge',
        host_quarantined: 'gauge',
        host_config_problems: 'gauge',
        leader: 'gauge',
        orphans_total: 'counter',
        host_updates: 'counter',
        reconcile_errors_total: 'counter',
        api_requests_total: 'counter',
        watch_restarts_total: 'counter',
      }),
      process_resident_memory_bytes: 'gauge',
      process_start_time_seconds: 'gauge',
      process_cpu_seconds_total: 'counter',
    });
  });

  const buckets = {
    host_allocation_time: [1, 2, 3, 4, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200],
    wait_time: [1, 2, 3, 4, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200],
    task_run_time: [20, 40, 60, 90, 120, 300, 600, 1200, 2400, 4800, 6000, 7200, 8400, 9600],
  } as const;
  for (const name of ['host_allocation_time', 'wait_time', 'task_run_time'] as const) {
    it(`${name} counts seconds per platform in the buckets dashboards know`, async () => {
      const metrics = new Metrics(() => aSnapshot());
      metrics.setPlatforms(['linux/arm64'], []);
      metrics.observe(name, 'linux/arm64', 50);
      const samples = await samplesOf(metrics);
      const bounds = samples.flatMap((line) => new RegExp(`^${name}_bucket.*le="([^"]+)"`).exec(line)?.[1] ?? []);
      expect(bounds).to.deep.equal([...buckets[name].map(String), '+Inf']);
      expect(samples).to.include(`${name}_sum{platform="linux-arm64"} 50`);
      expect(samples).to.include(`${name}_bucket{le="60",platform="linux-arm64"} 1`);
      expect(samples.find((line) => line.startsWith(`${name}_bucket{le="40"`) || line.includes('le="30"'))).to.match(
        / 0$/,
      );
    });
  }

  it('starts the counters of a configured platform at 0, so that the first failure is an increase', async () => {
    const metrics = new Metrics(() => aSnapshot());
    metrics.setPlatforms(['linux-mlarge/arm64'], []);
    const samples = await samplesOf(metrics);
    for (const name of ['provisioning_failures', 'provisioning_successes', 'cleanup_failures']) {
      expect(samples).to.include(`${name}{platform="linux-mlarge-arm64"} 0`);
    }
  });

  it('starts the times of a configured platform at 0 too, once', async () => {
    const metrics = new Metrics(() => aSnapshot());
    metrics.setPlatforms(['linux/arm64'], []);
    metrics.observe('task_run_time', 'linux/arm64', 7);
    metrics.setPlatforms(['linux/arm64', 'linux/s390x'], []);
    const samples = await samplesOf(metrics);
    expect(samples).to.include('wait_time_count{platform="linux-arm64"} 0');
    expect(samples).to.include('task_run_time_count{platform="linux-arm64"} 1');
    expect(samples).to.include('task_run_time_count{platform="linux-s390x"} 0');
  });

  it('shows every platform that is not configured, and none at all, under one value', async () => {
    const metrics = new Metrics(() => aSnapshot());
    metrics.setPlatforms(['linux/arm64'], []);
    for (let guess = 0; guess < 50; guess += 1) metrics.count('host_allocation_failures', `linux/a${guess}`);
    metrics.count('host_allocation_failures', undefined);
    metrics.count('host_allocation_failures', '"} evil 1\n');
    const samples = await samplesOf(metrics);
    expect(samples.filter((line) => line.startsWith('host_allocation_failures'))).to.have.members([
      'host_allocation_failures{platform="linux-arm64"} 0',
      'host_allocation_failures{platform="unknown"} 52',
    ]);
  });

  it('exports nothing for platforms that run in the cluster itself', async () => {
    const metrics = new Metrics(() => aSnapshot());
    metrics.setPlatforms([], ['local', 'linux/x86_64']);
    metrics.count('provisioning_successes', 'local');
    metrics.observe('task_run_time', 'linux/x86_64', 5);
    const samples = await samplesOf(metrics);
    expect(samples.filter((line) => line.includes('platform='))).to.deep.equal([]);
  });

  it('drops the series of a platform that left the config', async () => {
    const metrics = new Metrics(() => aSnapshot());
    metrics.setPlatforms(['linux/arm64', 'linux/s390x'], []);
    metrics.observe('wait_time', 'linux/s390x', 1);
    metrics.countHostUpdate('linux/s390x', 'succeeded');
    metrics.count('cleanup_failures', 'linux/arm64');
    metrics.setPlatforms(['linux/arm64'], []);
    const text = await metrics.render();
    expect(text).not.to.contain('s390x');
    expect(text).to.contain('cleanup_failures{platform="linux-arm64"} 1');
  });

  it('counts a wait that ended before it began, by the clocks of two machines, as none', async () => {
    const metrics = new Metrics(() => aSnapshot());
    metrics.setPlatforms(['linux/arm64'], []);
    metrics.observe('wait_time', 'linux/arm64', -3);
    expect(await samplesOf(metrics)).to.include('wait_time_sum{platform="linux-arm64"} 0');
  });

  it('takes gauges from the state at every scrape, so that nothing sticks', async () => {
    let snapshot = aSnapshot({
      configProblems: { error: 2, warning: 1 },
      platforms: [
        aPlatform('linux/arm64', {
          poolSize: 4,
          running: { 'team-a': 2, 'team-b': 1 },
          waiting: { 'team-a': 3 },
          oldestWaiting: 12.5,
          hosts: [{ host: 'h1', slots: { used: 3, free: 0, blocked: 1 }, quarantined: true }],
        }),
      ],
    });
    const metrics = new Metrics(() => snapshot);
    expect(await samplesOf(metrics)).to.include.members([
      'leader 1',
      'host_config_problems{severity="error"} 2',
      'host_config_problems{severity="warning"} 1',
      'platform_pool_size{platform="linux-arm64"} 4',
      'running_tasks{platform="linux-arm64",taskrun_namespace="team-a"} 2',
      'running_tasks{platform="linux-arm64",taskrun_namespace="team-b"} 1',
      'waiting_tasks{platform="linux-arm64",taskrun_namespace="team-a"} 3',
      'queue_oldest_seconds{platform="linux-arm64"} 12.5',
      'host_slots{host="h1",state="used"} 3',
      'host_slots{host="h1",state="free"} 0',
      'host_slots{host="h1",state="blocked"} 1',
      'host_quarantined{host="h1"} 1',
    ]);
    snapshot = aSnapshot();
    const after = await samplesOf(metrics);
    expect(after.filter((line) => /team|h1|arm64/.test(line))).to.deep.equal([]);
    expect(after).to.include('host_config_problems{severity="error"} 0');
  });

  it('exports the platforms of the leader only, so that a sum over replicas is true', async () => {
    const metrics = new Metrics(() =>
      aSnapshot({ leader: false, platforms: [aPlatform('linux/arm64', { poolSize: 4 })] }),
    );
    const samples = await samplesOf(metrics);
    expect(samples).to.include('leader 0');
    expect(samples.filter((line) => line.startsWith('platform_pool_size'))).to.deep.equal([]);
  });

  it('counts orphans, updates of hosts, errors, requests and watches with their labels', async () => {
    const metrics = new Metrics(() => aSnapshot());
    metrics.countOrphan('secret');
    metrics.setPlatforms(['linux/arm64'], ['local']);
    metrics.countHostUpdate('linux/arm64', 'skipped');
    metrics.countHostUpdate(undefined, 'failed');
    metrics.countHostUpdate('local', 'failed');
    metrics.countReconcileError();
    metrics.countApiRequest('patch', 'taskruns', 409);
    metrics.countApiRequest('list', 'pods', 'timeout');
    metrics.countWatchRestart('taskruns');
    expect(await samplesOf(metrics)).to.include.members([
      'orphans_total{kind="secret"} 1',
      'host_updates{platform="linux-arm64",outcome="skipped"} 1',
      'host_updates{platform="unknown",outcome="failed"} 1',
      'reconcile_errors_total 1',
      'api_requests_total{verb="patch",resource="taskruns",code="409"} 1',
      'api_requests_total{verb="list",resource="pods",code="timeout"} 1',
      'watch_restarts_total{resource="taskruns"} 1',
    ]);
  });

  it('shares nothing between two instances', async () => {
    const [one, other] = [new Metrics(() => aSnapshot()), new Metrics(() => aSnapshot())];
    one.countReconcileError();
    expect(await samplesOf(other)).to.include('reconcile_errors_total 0');
  });

  it('tells the memory and the CPU time of the process, which only grows', async () => {
    const metrics = new Metrics(() => aSnapshot());
    const read = async (name: string): Promise<number> =>
      Number(new RegExp(`^${name} (.*)$`, 'm').exec(await metrics.render())?.[1]);
    expect(await read('process_resident_memory_bytes')).to.be.above(1e6);
    const cpu = await read('process_cpu_seconds_total');
    expect(cpu).to.be.above(0);
    expect(await read('process_cpu_seconds_total')).to.be.at.least(cpu);
  });
});

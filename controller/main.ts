// The composition root: puts flags, clients, watches, the controller and its endpoints together, and ends them in order.
// The only file that knows everything; it decides nothing.
import { randomUUID } from 'node:crypto';
import { ClusterClient } from './kubernetes/cluster-client.ts';
import { HttpTransport } from './kubernetes/http-transport.ts';
import { KubeAccess, loadKubeConfig } from './kubernetes/kube-access.ts';
import { Leader } from './kubernetes/leader.ts';
import { hostConfigName } from './model/labels.ts';
import { Controller } from './reconcile/controller.ts';
import { loadLeaseKey } from './reconcile/lease-key.ts';
import { reviewerOf } from './reconcile/metrics-reviewer.ts';
import { startWatches } from './reconcile/start-watches.ts';
import { readSettings, type Settings } from './settings.ts';
import { systemClock as clock } from './telemetry/clock.ts';
import { EventLoopWatch } from './telemetry/event-loop-watch.ts';
import { startHealthServer, type HealthCheck } from './telemetry/health.ts';
import { parseListenAddress } from './telemetry/listen-address.ts';
import { parseLogLevel } from './telemetry/log-level.ts';
import { createLogger } from './telemetry/logger.ts';
import { MetricsServer } from './telemetry/metrics-server.ts';
import { Metrics } from './telemetry/metrics.ts';
import { selfSigned } from './telemetry/serving-certificate.ts';
import { TokenGate } from './telemetry/token-gate.ts';

const defaultNamespace = 'multi-platform-controller';
/** Twice the silence after which a watch starts again by itself. */
const watchSilence = 180_000;
const loopStall = 5_000;

const settings = readSettings(process.argv.slice(2), process.env);
const logger = createLogger({
  level:
    parseLogLevel(settings.logLevel) ?? fail(`--log-level: '${settings.logLevel}' is not error, warn, info or debug`),
});
const metrics: Metrics = new Metrics(() => controller.collect());
let leader: Leader | undefined;

const access = orFail(
  () =>
    new KubeAccess(
      () => loadKubeConfig(settings.kubeconfig),
      () => clock.monotonic(),
    ),
);
const namespace = settings.namespace ?? access.namespace ?? defaultNamespace;
const transport = new HttpTransport({
  access,
  clock,
  userAgent: 'multi-platform-controller',
  // Before the election begins only the key that signs facts is read, or made.
  mayMutate: () => leader?.remaining() ?? Infinity,
  onRequest: ({ verb, resource, code }) => metrics.countApiRequest(verb, resource, code),
});
const cluster = new ClusterClient(transport);
const controller = new Controller(
  {
    cluster,
    clock,
    logger,
    namespace,
    leaseKey: await loadLeaseKey(cluster, namespace).catch((error: unknown) =>
      fail(`the API server does not let us start: ${sentence(error)}`),
    ),
    workers: settings.concurrentReconciles,
    keep: settings.keep,
    isLeader: () => !settings.leaderElect || (leader?.remaining() ?? 0) > 0,
  },
  metrics,
);

const stop = new AbortController();
const watches = startWatches({ controller, sender: transport, clock, namespace, logger, metrics }, stop.signal);
const loop = new EventLoopWatch(clock, loopStall);
const endpoints = await startEndpoints(settings).catch((error: unknown) => fail(sentence(error)));
const synced = Promise.all(watches.map((watch) => watch.reflector.untilSynced()));

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => void end(settings.drain === undefined ? 0 : 1, `got ${signal}`));
process.on('unhandledRejection', (error) => logger.error('a promise nobody waited for failed', { error }));

logger.info('starting', { namespace, server: access.origin, leaderElect: settings.leaderElect });
const act = async (): Promise<void> => {
  await synced;
  if (settings.drain !== undefined) return drain(settings.drain);
  logger.info('acting');
  controller.start();
};
if (settings.drain !== undefined)
  logger.info('waiting for the leader Lease: scale Deployment multi-platform-controller to 0');
const leading = settings.leaderElect ? lead() : act();

async function drain(times: NonNullable<Settings['drain']>): Promise<void> {
  const left = await controller.drain(times, stop.signal);
  await (left.length === 0 ? end(0, 'everything is given back') : end(1, `${left.length} things are left`));
}

function lead(): Promise<void> {
  leader = new Leader({
    cluster,
    clock,
    namespace,
    name: 'multi-platform-controller',
    identity: settings.identity ?? randomUUID(),
    onStarted: () => void act(),
    onLost: (why) => void end(1, why),
    onTrouble: (error) => logger.warn('the leader Lease could not be read or renewed', { error }),
  });
  return leader.run(stop.signal);
}

async function startEndpoints(given: Settings): Promise<{ close(): Promise<void> }[]> {
  const health = parseListenAddress('--health-probe-bind-address', given.healthProbeBindAddress);
  const scrape = parseListenAddress('--metrics-bind-address', given.metricsBindAddress);
  const ready: HealthCheck[] = watches.map(({ name, reflector }) => ({
    name,
    problem: () => (reflector.synced ? undefined : 'not read yet'),
  }));
  ready.push({
    name: hostConfigName,
    problem: () => (controller.state.hostConfig.config ? undefined : 'not there yet'),
  });
  const live: HealthCheck[] = watches.map(({ name, reflector }) => ({
    name,
    problem: () => (clock.monotonic() - reflector.lastActivity < watchSilence ? undefined : 'silent for too long'),
  }));
  const started: { close(): Promise<void> }[] = [];
  if (health !== undefined)
    started.push(await startHealthServer({ address: health, ready, live: [loop.check, ...live] }));
  if (scrape !== undefined) {
    const certificates = given.metricsSecure ? selfSigned(['multi-platform-controller'], clock) : undefined;
    const gate = new TokenGate(reviewerOf(cluster), clock);
    started.push(await MetricsServer.start({ address: scrape, certificates, gate, metrics, logger }));
  }
  return started;
}

/** Acting ends first, the Lease is given back last: nobody else starts while we still write. */
async function end(code: number, why: string): Promise<void> {
  if (stop.signal.aborted) return;
  logger.info('stopping', { why });
  await controller.stop();
  stop.abort();
  loop.stop();
  if (settings.leaderElect) await leading;
  await Promise.all(endpoints.map((endpoint) => endpoint.close()));
  await transport.close();
  process.exit(code);
}

/** What cannot be put right here ends the start with one sentence. */
function orFail<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    return fail(sentence(error));
  }
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function fail(message: string): never {
  console.error(`multi-platform-controller: ${message}`);
  process.exit(1);
}

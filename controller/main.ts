// The composition root: puts flags, clients, watches, the controller and its endpoints together, and ends them in order.
// The only file that knows everything; it decides nothing.
import { randomUUID } from 'node:crypto';
import { ApiError } from './kubernetes/api-errors.ts';
import { ClusterClient } from './kubernetes/cluster-client.ts';
import { HttpTransport } from './kubernetes/http-transport.ts';
import { KubeAccess, loadKubeConfig } from './kubernetes/kube-access.ts';
import { Leader } from './kubernetes/leader.ts';
import { hostConfigName, leaderLeaseName } from './model/labels.ts';
import { Controller } from './reconcile/controller.ts';
import { loadLeaseKey } from './reconcile/lease-key.ts';
import { reviewerOf } from './reconcile/metrics-reviewer.ts';
import { startWatches, type NamedWatch } from './reconcile/start-watches.ts';
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
import { sentenceOf, StartFailure } from './telemetry/start-failure.ts';
import { TokenGate } from './telemetry/token-gate.ts';

const defaultNamespace = 'multi-platform-controller';
/** Twice the silence after which a watch starts again by itself. */
const watchSilence = 180_000;
const loopStall = 5_000;

const program = 'multi-platform-controller';
const starting = new StartFailure(program);
const settings = readSettings(process.argv.slice(2), process.env);
const logger = createLogger({
  level:
    parseLogLevel(settings.logLevel) ??
    starting.fail(`--log-level: '${settings.logLevel}' is not error, warn, info or debug`),
});
const addresses = await starting.orFail(() => ({
  health: parseListenAddress('--health-probe-bind-address', settings.healthProbeBindAddress),
  metrics: parseListenAddress('--metrics-bind-address', settings.metricsBindAddress),
}));
const metrics: Metrics = new Metrics(() => session.controller.collect());
let leader: Leader | undefined;

const access = await starting.orFail(
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
  userAgent: program,
  // Before the election begins only the key that signs facts is read, or made.
  mayMutate: () => leader?.remaining() ?? Infinity,
  onRequest: ({ verb, resource, code }) => metrics.countApiRequest(verb, resource, code),
});
const cluster = new ClusterClient(transport);
const leaseKey = await untilAnswered(() => loadLeaseKey(cluster, namespace));

const ending = new AbortController();
let session = newSession();
const loop = new EventLoopWatch(clock, loopStall);
const endpoints = await starting.orFail(startEndpoints);

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => void end(settings.drain === undefined ? 0 : 1, `got ${signal}`));
process.on('unhandledRejection', (error) => logger.error('a promise nobody waited for failed', { error }));

logger.info('starting', { namespace, server: access.origin, leaderElect: settings.leaderElect });
if (settings.drain !== undefined)
  logger.info('waiting for the leader Lease: scale Deployment multi-platform-controller to 0');
const leading = settings.leaderElect ? lead(settings.identity ?? randomUUID()) : act(session);

/** The controller and what feeds it. */
interface Session {
  readonly controller: Controller;
  readonly watches: readonly NamedWatch[];
  readonly stop: AbortController;
}

function newSession(): Session {
  const { keep, concurrentReconciles: workers } = settings;
  const isLeader = (): boolean => !settings.leaderElect || (leader?.remaining() ?? 0) > 0;
  const options = { cluster, clock, logger, namespace, leaseKey, workers, keep, isLeader };
  const controller = new Controller(options, metrics);
  const sessionStop = new AbortController();
  const watching = { controller, sender: transport, clock, namespace, logger, metrics };
  return { controller, watches: startWatches(watching, sessionStop.signal), stop: sessionStop };
}

async function act({ controller, watches, stop }: Session): Promise<void> {
  await Promise.all(watches.map((watch) => watch.reflector.untilSynced()));
  if (stop.signal.aborted) return;
  if (settings.drain !== undefined) return drain(controller, settings.drain);
  logger.info('acting');
  controller.start();
}

async function drain(controller: Controller, times: NonNullable<Settings['drain']>): Promise<void> {
  const left = await controller.drain(times, ending.signal);
  await (left.length === 0 ? end(0, 'everything is given back') : end(1, `${left.length} things are left`));
}

/** Leads whenever it can. After a loss everything is read anew: somebody else may have written, and writes of ours may be unseen. */
async function lead(identity: string): Promise<void> {
  const onTrouble = (error: unknown): void => logger.warn('the leader Lease could not be read or renewed', { error });
  const onLost = (why: string): void => logger.warn('not the leader any more, standing by', { why });
  while (!ending.signal.aborted) {
    const current = session;
    const onStarted = (): void => void act(current);
    leader = new Leader({ cluster, clock, namespace, name: leaderLeaseName, identity, onStarted, onLost, onTrouble });
    await leader.run(ending.signal);
    if (ending.signal.aborted) return;
    await endSession(current);
    session = newSession();
  }
}

async function endSession({ controller, stop }: Session): Promise<void> {
  await controller.stop();
  stop.abort();
}

async function startEndpoints(): Promise<{ close(): Promise<void> }[]> {
  const watch = (index: number): NamedWatch['reflector'] | undefined => session.watches[index]?.reflector;
  const ready: HealthCheck[] = session.watches.map(({ name }, index) => ({
    name,
    problem: () => (watch(index)?.synced ? undefined : 'not read yet'),
  }));
  ready.push({
    name: hostConfigName,
    problem: () => (session.controller.state.hostConfig.config ? undefined : 'not there yet'),
  });
  const isSilent = (index: number): boolean => clock.monotonic() - (watch(index)?.lastActivity ?? 0) >= watchSilence;
  const live: HealthCheck[] = session.watches.map(({ name }, index) => ({
    name,
    problem: () => (isSilent(index) ? 'silent for too long' : undefined),
  }));
  const started: { close(): Promise<void> }[] = [];
  if (addresses.health !== undefined)
    started.push(await startHealthServer({ address: addresses.health, ready, live: [loop.check, ...live] }));
  if (addresses.metrics !== undefined) {
    const certificates = settings.metricsSecure ? selfSigned([program], clock) : undefined;
    const gate = new TokenGate(reviewerOf(cluster), clock);
    started.push(await MetricsServer.start({ address: addresses.metrics, certificates, gate, metrics, logger }));
  }
  return started;
}

/** Acting ends first, the Lease is given back last: nobody else starts while we still write. */
async function end(code: number, why: string): Promise<void> {
  if (ending.signal.aborted) return;
  logger.info('stopping', { why });
  await session.controller.stop();
  ending.abort();
  session.stop.abort();
  loop.stop();
  if (settings.leaderElect) await leading;
  await Promise.all(endpoints.map((endpoint) => endpoint.close()));
  await transport.close();
  process.exit(code);
}

/** An API server that starts, or is away for a while, is waited for; one that refuses us ends the start. */
async function untilAnswered<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let pause = 500; ; pause = Math.min(2 * pause, 10_000)) {
    try {
      return await ask();
    } catch (error) {
      const final = !(error instanceof ApiError) || error.kind === 'refused' || error.kind === 'invalid';
      if (final) starting.fail(`the API server does not let us start: ${sentenceOf(error)}`);
      logger.warn('the API server does not answer, trying again', { why: sentenceOf(error) });
    }
    await clock.sleep(pause);
  }
}

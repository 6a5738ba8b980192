// The key server's composition root: flags, clients, the store, its endpoints, and their end in order. Decides nothing.
import { setTimeout as pause } from 'node:timers/promises';
import { ClusterClient } from '../kubernetes/cluster-client.ts';
import { HttpTransport } from '../kubernetes/http-transport.ts';
import { KubeAccess, loadKubeConfig } from '../kubernetes/kube-access.ts';
import { reviewerOf } from '../reconcile/metrics-reviewer.ts';
import { systemClock as clock } from '../telemetry/clock.ts';
import type { Certificate } from '../telemetry/endpoint.ts';
import { EventLoopWatch } from '../telemetry/event-loop-watch.ts';
import { startHealthServer } from '../telemetry/health.ts';
import { type ListenAddress, parseListenAddress } from '../telemetry/listen-address.ts';
import { parseLogLevel } from '../telemetry/log-level.ts';
import { createLogger } from '../telemetry/logger.ts';
import { MetricsServer } from '../telemetry/metrics-server.ts';
import { describeCertificate, selfSigned } from '../telemetry/serving-certificate.ts';
import { StartFailure } from '../telemetry/start-failure.ts';
import { TokenGate } from '../telemetry/token-gate.ts';
import { type Dropped, type FrontLimits, type FrontOptions, HttpsFront } from './https-front.ts';
import { KeyAnswers, type KeyPath } from './key-answers.ts';
import { KeyRing } from './key-ring.ts';
import { KeyStore } from './key-store.ts';
import { otpCertificate } from './otp-certificate.ts';
import { OtpMetrics } from './otp-metrics.ts';
import { provisionReviewer } from './provision-gate.ts';
import type { Rate } from './rate-limit.ts';
import { readOtpSettings } from './settings.ts';
import { sweepExpired } from './sweep-expired.ts';

const name = 'multi-platform-otp-server';
const defaultNamespace = 'multi-platform-controller';
const certificateCheck = 5_000;
const sweepEvery = 60_000;
const finishWithin = 5_000;
const apiDeadline = 3_000;
const loopStall = 5_000;

const starting = new StartFailure(name);
const settings = readOtpSettings(process.argv.slice(2), process.env);
const level =
  parseLogLevel(settings.logLevel) ??
  starting.fail(`--log-level: '${settings.logLevel}' is not error, warn, info or debug`);
const logger = createLogger({ level });
const metrics = new OtpMetrics();
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
  userAgent: name,
  onRequest: ({ verb, resource, code }) => metrics.countApiRequest(verb, resource, code),
  // Who asks has a time-out of his own: better an answer that says to ask again.
  limits: { readDeadline: apiDeadline, mutationDeadline: apiDeadline },
});
const cluster = new ClusterClient(transport);
const certificates = otpCertificate({
  cluster,
  namespace,
  clock,
  folder: settings.tlsFolder,
  make: settings.makeCertificate,
});
/** Builds come to the first; the second is for provision pods alone, whatever happens at the first. */
let fronts: readonly HttpsFront[] = [];
let store: KeyStore | undefined;
const stop = new AbortController();

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void end(signal));
process.on('unhandledRejection', (error) => logger.error('a promise nobody waited for failed', { error }));
logger.info('starting', { namespace, server: access.origin });
const loop = new EventLoopWatch(clock, loopStall);
const endpoints = await starting.orFail(startEndpoints);
await run();

async function run(): Promise<void> {
  const certificate = await untilThere('certificate', () => certificates.current());
  const ring = await untilThere('encryption key', () =>
    KeyRing.load({ cluster, namespace, folder: settings.encryptionKeysFolder, clock }),
  );
  if (certificate === undefined || ring === undefined) return;
  store = new KeyStore({ cluster, namespace, ring, clock, keepFor: settings.keepKeys });
  fronts = await starting.orFail(() => listen(certificate));
  logger.info('serving', { ports: fronts.map(({ port }) => port), certificate: describeCertificate(certificate) });
  await Promise.all([followCertificate(certificate), sweepAgainAndAgain()]);
}

/** Not there yet is no reason to die: the mount or the API server comes. Undefined: we are to stop. */
async function untilThere<Thing>(what: string, get: () => Promise<Thing>): Promise<Thing | undefined> {
  for (let tries = 0; !stop.signal.aborted; tries += 1) {
    try {
      return await get();
    } catch (error) {
      if (tries % 10 === 0) logger.warn(`waiting for the ${what}`, { error });
      await clock.sleep(1_000, stop.signal);
    }
  }
  return undefined;
}

async function listen(certificate: Certificate): Promise<HttpsFront[]> {
  const rate = (perSecond: number): Rate => ({ perSecond, burst: 10 * perSecond });
  const limits: FrontLimits = {
    connections: settings.maxConnections,
    connectionsPerSource: settings.maxConnectionsPerSource,
    requests: rate(settings.maxRequestsPerSecond),
    requestsPerSource: rate(settings.maxRequestsPerSecondAndSource),
    headersWithin: 5_000,
    requestWithin: 10_000,
    idle: 5_000,
  };
  const reviewer = provisionReviewer(cluster, namespace, settings.provisionServiceAccount);
  const listenAt = (address: ListenAddress, paths?: readonly KeyPath[]): Promise<HttpsFront> => {
    const answers = new KeyAnswers({
      store: store ?? starting.fail('the store is not there'),
      // One for each: whatever strangers show at the builds' entrance, provision pods are not kept waiting for its review.
      gate: new TokenGate(reviewer, clock),
      allowUnauthenticated: settings.allowUnauthenticatedStoreKey,
      metrics,
      logger,
    });
    const onDropped = (why: Dropped): void => metrics.countDropped(why);
    const answer: FrontOptions['answer'] = (request) => answers.answer(request, paths);
    return HttpsFront.listen({ address, certificate, limits, clock, answer, onDropped });
  };
  const address =
    parseListenAddress('--listen-address', settings.listenAddress) ??
    starting.fail('--listen-address: 0 serves nobody');
  const entrances = [listenAt(address)];
  const storing = parseListenAddress('--store-listen-address', settings.storeListenAddress);
  if (storing !== undefined) entrances.push(listenAt(storing, ['/store-key']));
  return Promise.all(entrances);
}

async function startEndpoints(): Promise<{ close(): Promise<void> }[]> {
  const health = parseListenAddress('--health-probe-bind-address', settings.healthProbeBindAddress);
  const scrape = parseListenAddress('--metrics-bind-address', settings.metricsBindAddress);
  const serving = {
    name: 'serving',
    problem: () => (stop.signal.aborted ? 'stopping' : fronts.length === 0 ? 'not yet' : undefined),
  };
  const started: { close(): Promise<void> }[] = [];
  if (health !== undefined)
    started.push(await startHealthServer({ address: health, ready: [serving], live: [loop.check] }));
  if (scrape !== undefined) {
    const own = settings.metricsSecure ? selfSigned([name], clock) : undefined;
    const gate = new TokenGate(reviewerOf(cluster), clock);
    started.push(await MetricsServer.start({ address: scrape, certificates: own, gate, metrics, logger }));
  }
  return started;
}

/** By what the files hold: the kubelet replaces them by moving a link, which is no event of the files. */
async function followCertificate(served: Certificate): Promise<void> {
  let current = served;
  for (;;) {
    await clock.sleep(certificateCheck, stop.signal);
    if (stop.signal.aborted) return;
    try {
      const next = await certificates.current();
      if (next.cert === current.cert && next.key === current.key) continue;
      for (const front of fronts) front.replaceCertificate(next);
      current = next;
      logger.info('certificate replaced', { certificate: describeCertificate(next) });
    } catch (error) {
      logger.warn('the certificate could not be read, the old one stays in use', { error });
    }
  }
}

async function sweepAgainAndAgain(): Promise<void> {
  while (!stop.signal.aborted) {
    try {
      const { kept, removed } = await sweepExpired({ cluster, sender: transport, namespace }, clock.now());
      metrics.setStored(kept);
      if (removed > 0) logger.info('expired keys removed', { removed });
    } catch (error) {
      logger.warn('expired keys could not be removed', { error });
    }
    await clock.sleep(sweepEvery * (0.75 + Math.random() / 2), stop.signal);
  }
}

/** Not ready at once, so that nobody new is sent here; those who are on their way are still served. */
async function end(why: string): Promise<void> {
  if (stop.signal.aborted) return;
  logger.info('stopping', { why });
  stop.abort();
  loop.stop();
  if (fronts.length > 0) await pause(settings.stopDelay);
  await Promise.all(fronts.map((front) => front.close(finishWithin)));
  await Promise.race([store?.settled(), pause(finishWithin)]);
  await Promise.all(endpoints.map((endpoint) => endpoint.close()));
  await transport.close();
  process.exit(0);
}

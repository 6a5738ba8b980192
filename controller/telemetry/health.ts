// /healthz (restart me?) and /readyz (send me work?) for the kubelet. Shows what the caller's checks say, decides nothing.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Endpoint } from './endpoint.ts';
import type { ListenAddress } from './listen-address.ts';

export interface HealthCheck {
  readonly name: string;
  /** Undefined when all is well, else the reason it is not. */
  readonly problem: () => string | undefined;
}

export interface HealthOptions {
  readonly address: ListenAddress;
  /** Caches synced, host-config loaded, … */
  readonly ready: readonly HealthCheck[];
  /** Event loop, watches, … */
  readonly live: readonly HealthCheck[];
}

export function startHealthServer({ address, ready, live }: HealthOptions): Promise<Endpoint> {
  const checksOf: Readonly<Record<string, readonly HealthCheck[]>> = { '/readyz': ready, '/healthz': live };
  return Endpoint.listen(address, (request, response) => {
    const checks = checksOf[pathOf(request)];
    if (checks === undefined) return respond(response, 404, 'not found: try /healthz or /readyz\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') return respond(response, 405, 'only GET\n');
    const { healthy, report } = runChecks(checks);
    respond(response, healthy ? 200 : 503, report);
  });
}

function runChecks(checks: readonly HealthCheck[]): { healthy: boolean; report: string } {
  const results = checks.map(({ name, problem }) => ({ name, reason: reasonOf(problem) }));
  const healthy = results.every(({ reason }) => reason === undefined);
  const lines = results.map(({ name, reason }) =>
    reason === undefined ? `[+] ${name}: ok` : `[-] ${name}: ${reason}`,
  );
  return { healthy, report: [...lines, healthy ? 'ok' : 'failed', ''].join('\n') };
}

/** A check that throws has failed; the probe must still get its answer. */
function reasonOf(problem: () => string | undefined): string | undefined {
  try {
    return problem();
  } catch (error) {
    return `check failed: ${String(error)}`;
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

function respond(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }).end(body);
}

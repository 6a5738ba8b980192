// GET /metrics for whoever the API server lets read it, over TLS unless switched off. Decides nothing itself: the gate
// says who, the metrics say what.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Certificate, Endpoint } from './endpoint.ts';
import type { ListenAddress } from './listen-address.ts';
import type { Logger } from './logger.ts';
import { type CertificateSource, describeCertificate } from './serving-certificate.ts';
import type { TokenGate, Verdict } from './token-gate.ts';

export interface MetricsServerOptions {
  readonly address: ListenAddress;
  /** Undefined: plain HTTP (`--metrics-secure=false`). A token is asked for either way. */
  readonly certificates: CertificateSource | undefined;
  readonly gate: Pick<TokenGate, 'check'>;
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
  readonly logger: Logger;
}

const certificateCheck = 60_000;
const refusals: Readonly<Record<Exclude<Verdict, 'allowed'>, readonly [number, string]>> = {
  unauthenticated: [401, 'a ServiceAccount token is needed: Authorization: Bearer <token>\n'],
  forbidden: [403, 'this ServiceAccount may not get the non-resource URL /metrics\n'],
  busy: [429, 'too many tokens at once, try again\n'],
};

export class MetricsServer {
  readonly #endpoint: Endpoint;
  readonly #options: MetricsServerOptions;
  readonly #timer: NodeJS.Timeout | undefined;
  #served: Certificate | undefined;

  private constructor(endpoint: Endpoint, options: MetricsServerOptions, served: Certificate | undefined) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#served = served;
    if (served !== undefined) this.#timer = setInterval(() => void this.reloadCertificate(), certificateCheck).unref();
  }

  static async start(options: MetricsServerOptions): Promise<MetricsServer> {
    const certificate = await options.certificates?.current();
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      void answerScrape(request, response, options);
    };
    const endpoint = await Endpoint.listen(options.address, answer, certificate);
    return new MetricsServer(endpoint, options, certificate);
  }

  get port(): number {
    return this.#endpoint.port;
  }

  /** Takes over a renewed certificate; runs once a minute by itself. A broken one is logged and the old one stays. */
  async reloadCertificate(): Promise<void> {
    try {
      const certificate = await this.#options.certificates?.current();
      if (certificate === undefined || certificate === this.#served) return;
      this.#endpoint.replaceCertificate(certificate);
      this.#served = certificate;
      this.#options.logger.info('metrics certificate replaced', { certificate: describeCertificate(certificate) });
    } catch (error) {
      this.#options.logger.warn('metrics certificate could not be read, the old one stays in use', { error });
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#endpoint.close();
  }
}

async function answerScrape(
  request: IncomingMessage,
  response: ServerResponse,
  { gate, metrics, logger }: MetricsServerOptions,
): Promise<void> {
  if ((request.url ?? '').split('?', 1)[0] !== '/metrics') return respond(response, 404, 'not found: try /metrics\n');
  if (request.method !== 'GET') return respond(response, 405, 'only GET\n');
  try {
    const verdict = await gate.check(request.headers.authorization);
    if (verdict !== 'allowed') return respond(response, ...refusals[verdict]);
  } catch (error) {
    logger.warn('metrics: the API server could not be asked about a token', { error });
    return respond(response, 503, 'the API server cannot be asked about this token\n');
  }
  try {
    respond(response, 200, await metrics.render(), metrics.contentType);
  } catch (error) {
    logger.error('metrics could not be rendered', { error });
    respond(response, 500, 'metrics could not be rendered\n');
  }
}

function respond(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  const authenticate = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', ...authenticate }).end(body);
}

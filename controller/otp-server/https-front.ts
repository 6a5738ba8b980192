// The sockets of the key server: TLS, time-outs, and how much anybody may ask of it. Every request gets an answer or loses
// its connection; what the answer is, `answer` decides.
import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duration } from '../model/instant.ts';
import type { Clock } from '../model/clock.ts';
import type { Certificate } from '../telemetry/endpoint.ts';
import type { ListenAddress } from '../telemetry/listen-address.ts';
import { announcesTooMuch } from './request-body.ts';
import { type Rate, RateLimit, sourceOf } from './rate-limit.ts';

export interface KeyAnswer {
  readonly status: number;
  readonly body?: Buffer | string;
  /** Seconds after which asking again may help. */
  readonly retryAfter?: number;
  /** Called when the client went away before it had the answer. */
  readonly undelivered?: () => void;
}

export interface FrontLimits {
  readonly connections: number;
  readonly connectionsPerSource: number;
  readonly requests: Rate;
  readonly requestsPerSource: Rate;
  /** For the TLS handshake, and again for the headers of each request. */
  readonly headersWithin: Duration;
  /** For a whole request. */
  readonly requestWithin: Duration;
  readonly idle: Duration;
}

export type Dropped = 'connections' | 'connections_of_source' | 'requests' | 'requests_of_source' | 'bad_request';

export interface FrontOptions {
  readonly address: ListenAddress;
  readonly certificate: Certificate;
  readonly limits: FrontLimits;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Never rejects. */
  readonly answer: (request: IncomingMessage) => Promise<KeyAnswer>;
  readonly onDropped: (why: Dropped) => void;
}

const minVersion = 'TLSv1.2';

export class HttpsFront {
  readonly #server: Server;
  readonly #options: FrontOptions;
  readonly #ofSource = new Map<string, number>();
  readonly #requests: RateLimit;
  readonly #requestsPerSource: RateLimit;

  private constructor(options: FrontOptions) {
    this.#options = options;
    const { limits, clock } = options;
    this.#requests = new RateLimit(limits.requests, clock);
    this.#requestsPerSource = new RateLimit(limits.requestsPerSource, clock);
    this.#server = createServer({
      ...options.certificate,
      minVersion,
      handshakeTimeout: limits.headersWithin,
      headersTimeout: limits.headersWithin,
      requestTimeout: limits.requestWithin,
      keepAliveTimeout: limits.idle,
      connectionsCheckingInterval: Math.min(1_000, limits.headersWithin),
      maxHeaderSize: 16 * 1024,
    });
    this.#server.maxConnections = limits.connections;
    this.#server.maxRequestsPerSocket = 100;
    this.#server.on('drop', () => options.onDropped('connections'));
    this.#server.on('connection', (socket: Socket) => this.#accept(socket));
    // No HTTP, no TLS, or too slow.
    this.#server.on('clientError', (_error: Error, socket: Socket) => {
      options.onDropped('bad_request');
      socket.destroy();
    });
    const respond = (request: IncomingMessage, response: ServerResponse): void => void this.#respond(request, response);
    this.#server.on('request', respond);
    // A client that asks first is told before it has sent anything.
    this.#server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      if (!announcesTooMuch(request)) response.writeContinue();
      respond(request, response);
    });
  }

  /** Rejects when the address cannot be bound. */
  static async listen(options: FrontOptions): Promise<HttpsFront> {
    const front = new HttpsFront(options);
    front.#server.listen(options.address.port, options.address.host);
    await once(front.#server, 'listening');
    return front;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server is closed');
    return address.port;
  }

  /** For connections made from now on; those there are stay. */
  replaceCertificate(certificate: Certificate): void {
    this.#server.setSecureContext({ ...certificate, minVersion });
  }

  /** Takes no more connections, and gives the requests under way some time. */
  async close(grace: Duration): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    const limit = setTimeout(() => this.#server.closeAllConnections(), grace);
    await closed;
    clearTimeout(limit);
  }

  #accept(socket: Socket): void {
    const source = sourceOf(socket.remoteAddress);
    const open = (this.#ofSource.get(source) ?? 0) + 1;
    if (open > this.#options.limits.connectionsPerSource) {
      this.#options.onDropped('connections_of_source');
      socket.destroy();
      return;
    }
    this.#ofSource.set(source, open);
    socket.once('close', () => {
      const left = (this.#ofSource.get(source) ?? 1) - 1;
      if (left === 0) this.#ofSource.delete(source);
      else this.#ofSource.set(source, left);
    });
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A client that goes away is no error of ours.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    let gone = false;
    response.once('close', () => (gone = true));
    const answer = this.#refusal(request) ?? (await this.#options.answer(request));
    if (isSet(gone)) {
      answer.undelivered?.();
      return;
    }
    response.once('close', () => {
      if (!response.writableFinished) answer.undelivered?.();
    });
    const body = Buffer.from(answer.body ?? '');
    const headers: OutgoingHttpHeaders = {
      'content-type': 'application/octet-stream',
      'content-length': body.length,
      'cache-control': 'no-store',
    };
    if (answer.status === 405) headers.allow = 'POST';
    if (answer.retryAfter !== undefined) headers['retry-after'] = String(answer.retryAfter);
    // What was not read cannot be skipped.
    if (!request.complete) headers.connection = 'close';
    response.writeHead(answer.status, headers);
    response.end(body);
  }

  #refusal(request: IncomingMessage): KeyAnswer | undefined {
    const ofSource = this.#requestsPerSource.take(sourceOf(request.socket.remoteAddress));
    // One that is over its own limit takes nothing from the others.
    const wait = ofSource > 0 ? ofSource : this.#requests.take();
    if (wait === 0) return undefined;
    this.#options.onDropped(ofSource > 0 ? 'requests_of_source' : 'requests');
    return { status: 429, retryAfter: Math.ceil(wait / 1000) };
  }
}

/** Read anew: it changes while we wait. */
function isSet(flag: boolean): boolean {
  return flag;
}

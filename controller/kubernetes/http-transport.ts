// One request to the API server, sent well: pooled connections, a deadline, the leadership fence, Retry-After, fresh
// credentials after a 401, and a second try only where it cannot act twice. Decides nothing about what is asked.
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import type { Clock } from '../model/clock.ts';
import type { Duration } from '../model/instant.ts';
import { ApiError, apiErrorFromAnswer } from './api-errors.ts';
import { apiErrorFromFailure, DeadlineError } from './connection-errors.ts';
import { ConnectionPools } from './connection-pools.ts';
import type { PoolName } from './connection-pools.ts';
import type { KubeAccess } from './kube-access.ts';
import type { Resource } from './resource.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

export interface ApiRequest {
  readonly verb: Verb;
  readonly resource: Resource;
  /** With query string, relative to the server. */
  readonly path: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: string;
  /** May be sent again although the first one may have arrived: the outcome is the same. */
  readonly repeatable: boolean;
  /** Changes the cluster, so only a leader may send it. */
  readonly fenced: boolean;
  readonly deadline?: Duration;
}

export interface RequestRecord {
  readonly verb: Verb;
  readonly resource: Resource;
  /** HTTP status, or the kind of error when there was no answer. */
  readonly code: string;
  readonly seconds: number;
}

export interface TransportOptions {
  readonly access: KubeAccess;
  readonly clock: Clock;
  readonly userAgent: string;
  /** Milliseconds for which we may still change the cluster; 0 or less refuses. Absent: always. */
  readonly mayMutate?: () => Duration;
  readonly onRequest?: (record: RequestRecord) => void;
  readonly limits?: Partial<TransportLimits>;
}

export interface TransportLimits {
  readonly readDeadline: Duration;
  readonly mutationDeadline: Duration;
  /** Wait before another try where the server named none. */
  readonly retryDelay: Duration;
  readonly attempts: number;
}

const defaultLimits: TransportLimits = { readDeadline: 10_000, mutationDeadline: 3_000, retryDelay: 100, attempts: 3 };
/** A server that asks us to stay away for longer is asked again after this. */
const longestRetryAfter: Duration = 30_000;

const methods = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
} as const satisfies Record<Verb, Dispatcher.HttpMethod>;

const inflate = promisify(gunzip);

export class HttpTransport {
  readonly #options: TransportOptions;
  readonly #limits: TransportLimits;
  readonly #pools: ConnectionPools;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#pools = new ConnectionPools(options.access);
  }

  /** The text of a successful answer. Everything else rejects with an ApiError. */
  async request(request: ApiRequest): Promise<string> {
    const { clock } = this.#options;
    const until = clock.monotonic() + this.#deadlineOf(request);
    let ambiguous = false;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(request, until - clock.monotonic());
      } catch (thrown) {
        const error = apiErrorFromFailure(nameOf(request), thrown, false);
        ambiguous ||= error.ambiguous;
        const delay = this.#delayBeforeRetry(request, error, attempt);
        if (delay === undefined || clock.monotonic() + delay >= until)
          throw ambiguous ? error.as({ ambiguous: true }) : error;
        await clock.sleep(delay);
      }
    }
  }

  /**
   * Bytes as they arrive, for a watch; `onAnswer` tells that it was accepted. Ends when the server ends it; rejects with an
   * ApiError when nothing arrived for `idleLimit`, when the connection broke or when the signal aborted it.
   */
  async *stream(
    request: ApiRequest,
    signal: AbortSignal,
    idleLimit: Duration,
    onAnswer: () => void = () => undefined,
  ): AsyncGenerator<Uint8Array, void> {
    try {
      const answer = await this.#send(request, { pool: 'watches', signal, idleLimit });
      onAnswer();
      for await (const chunk of answer.body) yield chunk;
    } catch (thrown) {
      throw apiErrorFromFailure(nameOf(request), thrown, false);
    }
  }

  async close(): Promise<void> {
    await this.#pools.close();
  }

  #deadlineOf(request: ApiRequest): Duration {
    const standard = isRead(request) ? this.#limits.readDeadline : this.#limits.mutationDeadline;
    return request.deadline ?? standard;
  }

  /** One try, under the fence and the deadline. */
  async #attempt(request: ApiRequest, remaining: Duration): Promise<string> {
    const fence = request.fenced ? (this.#options.mayMutate?.() ?? Infinity) : Infinity;
    if (fence <= 0) {
      throw new ApiError({ kind: 'fenced', message: `${nameOf(request)}: not sent, leadership is not certain` });
    }
    const abort = new AbortController();
    const deadline = Math.min(remaining, fence);
    const timer = setTimeout(() => abort.abort(new DeadlineError(deadline)), deadline);
    try {
      const pool = request.resource === 'leases' ? 'leader' : 'requests';
      const answer = await this.#send(request, { pool, signal: abort.signal, idleLimit: 0 });
      const body = await answer.body.arrayBuffer().catch((thrown: unknown) => {
        throw apiErrorFromFailure(nameOf(request), thrown, !isRead(request));
      });
      const plain = answer.headers['content-encoding'] === 'gzip' ? await inflate(body) : Buffer.from(body);
      return plain.toString('utf8');
    } finally {
      clearTimeout(timer);
    }
  }

  /** Returns a successful answer whose body is still to be read. */
  async #send(request: ApiRequest, on: Sending): Promise<Dispatcher.ResponseData> {
    const { access, clock, onRequest } = this.#options;
    const started = clock.monotonic();
    let sent = false;
    let code: string = 'unavailable';
    try {
      const { dispatcher, credentials } = await this.#pools.open(on.pool);
      const answer = await dispatcher.compose(noticeSent(() => (sent = true))).request({
        origin: access.origin,
        path: access.basePath + request.path,
        method: methods[request.verb],
        headers: { ...headersOf(request), 'user-agent': this.#options.userAgent, ...credentials.headers },
        body: request.body ?? null,
        signal: on.signal,
        headersTimeout: on.idleLimit,
        bodyTimeout: on.idleLimit,
        // A DELETE has a body here, and the server reads it: the connection serves the next request as well.
        reset: false,
      });
      code = String(answer.statusCode);
      if (answer.statusCode === 401) access.renew(credentials);
      if (answer.statusCode >= 300) throw await errorFromAnswer(request, answer);
      return answer;
    } catch (thrown) {
      const error = apiErrorFromFailure(nameOf(request), thrown, sent && !isRead(request));
      if (error.code === undefined) code = error.kind;
      throw error;
    } finally {
      const seconds = (clock.monotonic() - started) / 1000;
      onRequest?.({ verb: request.verb, resource: request.resource, code, seconds });
    }
  }

  /** Undefined: not again. */
  #delayBeforeRetry(request: ApiRequest, error: ApiError, attempt: number): Duration | undefined {
    if (attempt >= this.#limits.attempts || error.kind === 'fenced') return undefined;
    const delay = error.retryAfter ?? this.#limits.retryDelay * 2 ** (attempt - 1);
    // Credentials were read again.
    if (error.code === 401) return attempt === 1 ? 0 : undefined;
    // The server says that it has not looked at it.
    if (error.kind === 'throttled' || error.retryAfter !== undefined) return delay;
    const failed = error.kind === 'unavailable' || error.kind === 'timeout';
    const neverSent = error.code === undefined && !error.ambiguous;
    return failed && (neverSent || request.repeatable) ? delay : undefined;
  }
}

interface Sending {
  readonly pool: PoolName;
  readonly signal: AbortSignal;
  /** 0: none. */
  readonly idleLimit: Duration;
}

function isRead(request: ApiRequest): boolean {
  return methods[request.verb] === 'GET';
}

function nameOf(request: ApiRequest): string {
  return `${request.verb} ${request.path.split('?', 1)[0]}`;
}

function headersOf(request: ApiRequest): Record<string, string> {
  return {
    accept: request.accept ?? 'application/json',
    ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
    // Only long lists are worth the time it takes to unpack them.
    ...(request.verb === 'list' ? { 'accept-encoding': 'gzip' } : {}),
  };
}

async function errorFromAnswer(request: ApiRequest, answer: Dispatcher.ResponseData): Promise<ApiError> {
  const seconds = Number(answer.headers['retry-after']);
  const retryAfter = Number.isFinite(seconds) ? Math.min(seconds * 1000, longestRetryAfter) : undefined;
  return apiErrorFromAnswer(nameOf(request), answer.statusCode, await answer.body.text(), retryAfter);
}

/** Calls back when a connection is there and the first byte of the request is about to be written. */
function noticeSent(onSent: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart: (controller, context) => {
        onSent();
        handler.onRequestStart?.(controller, context);
      },
      onResponseStart: (...start) => handler.onResponseStart?.(...start),
      onResponseData: (...data) => handler.onResponseData?.(...data),
      onResponseEnd: (...end) => handler.onResponseEnd?.(...end),
      onResponseError: (...error) => handler.onResponseError?.(...error),
    });
}

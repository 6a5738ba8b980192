// What the two endpoints answer: /store-key takes a private key and gives a token, /otp takes the token and gives the key.
// Decides who is heard and what each error looks like to curl; never logs a token or a key.
import type { IncomingMessage } from 'node:http';
import { ApiError } from '../kubernetes/api-errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { TokenGate } from '../telemetry/token-gate.ts';
import type { KeyAnswer } from './https-front.ts';
import type { KeyStore } from './key-store.ts';
import { parseToken } from './one-time-token.ts';
import type { OtpMetrics } from './otp-metrics.ts';
import { announcesTooMuch, bodyLimit, readBody } from './request-body.ts';
import { readBuildIdentity } from './build-headers.ts';
import { sourceOf } from './rate-limit.ts';
import type { BuildIdentity } from './stored-key.ts';

export interface KeyAnswersOptions {
  readonly store: Pick<KeyStore, 'store' | 'redeem'>;
  readonly gate: Pick<TokenGate, 'check'>;
  /** `--allow-unauthenticated-store-key`: provision scripts that send no token are heard too. */
  readonly allowUnauthenticated: boolean;
  readonly metrics: Pick<OtpMetrics, 'countRequest' | 'countRefusal'>;
  readonly logger: Logger;
}

const keyPaths = ['/otp', '/store-key'] as const;
export type KeyPath = (typeof keyPaths)[number];

const refusals = {
  unauthenticated: {
    status: 401,
    body: 'a ServiceAccount token for this server is needed; scripts that send none need --allow-unauthenticated-store-key\n',
  },
  forbidden: { status: 403, body: 'this ServiceAccount may store no keys\n' },
  busy: { status: 429, retryAfter: 1, body: 'too many tokens at once, try again\n' },
} as const satisfies Readonly<Record<string, KeyAnswer>>;

/** Without a body: what /otp answers goes into the file of a key. */
const refused: KeyAnswer = { status: 400 };
const tooLarge: KeyAnswer = { status: 413 };

export class KeyAnswers {
  readonly #options: KeyAnswersOptions;

  constructor(options: KeyAnswersOptions) {
    this.#options = options;
  }

  /** At an entrance of these paths. Never rejects. */
  async answer(request: IncomingMessage, paths: readonly KeyPath[] = keyPaths): Promise<KeyAnswer> {
    const path = paths.find((it) => it === (request.url ?? '').split('?', 1)[0]);
    const answer = path === undefined ? { status: 404 } : await this.#answer(path, request);
    this.#options.metrics.countRequest(path ?? 'other', answer.status);
    return answer;
  }

  async #answer(path: KeyPath, request: IncomingMessage): Promise<KeyAnswer> {
    if (request.method !== 'POST') return { status: 405 };
    if (announcesTooMuch(request)) return tooLarge;
    const from = sourceOf(request.socket.remoteAddress);
    try {
      return path === '/otp' ? await this.#redeem(request, from) : await this.#storeIfAllowed(request, from);
    } catch (error) {
      return this.#failure(path, error, request);
    }
  }

  async #redeem(request: IncomingMessage, from: string): Promise<KeyAnswer> {
    const { store, metrics, logger } = this.#options;
    const body = await readBody(request);
    if (body === undefined) return tooLarge;
    const token = parseToken(body);
    const redeemed = token === undefined ? 'malformed' : await store.redeem(token);
    if (typeof redeemed === 'string') {
      metrics.countRefusal(redeemed);
      logger.warn('token refused', { reason: redeemed, source: from });
      return refused;
    }
    const { key, build, giveBack } = redeemed;
    logger.info('key handed over', { build, source: from });
    const undelivered = (): void => {
      logger.warn('the build went away before it had its key; its token is good again', { build, source: from });
      giveBack().catch((error: unknown) => logger.error('a token could not be made good again', { build, error }));
    };
    return { status: 200, body: key, undelivered };
  }

  async #storeIfAllowed(request: IncomingMessage, from: string): Promise<KeyAnswer> {
    const { gate, allowUnauthenticated, logger } = this.#options;
    const { authorization } = request.headers;
    // Whoever shows no token cannot say whose key it is either: only a name made up here is safe from being taken.
    if (authorization === undefined && allowUnauthenticated) return this.#store(request, undefined, from);
    const verdict = await gate.check(authorization);
    if (verdict !== 'allowed') {
      // Such scripts print no more of the answer than its number.
      const remedy =
        authorization === undefined
          ? ': provision scripts that send no token need --allow-unauthenticated-store-key'
          : '';
      logger.warn(`a key was not taken${remedy}`, { reason: verdict, source: from });
      return refusals[verdict];
    }
    const build = readBuildIdentity(request.headers);
    if (build === 'malformed') return { status: 400, body: 'the headers x-taskrun-… are malformed\n' };
    return this.#store(request, build, from);
  }

  async #store(request: IncomingMessage, build: BuildIdentity | undefined, from: string): Promise<KeyAnswer> {
    const { store, logger } = this.#options;
    const key = await readBody(request);
    if (key === undefined) return { ...tooLarge, body: `a key has at most ${bodyLimit} bytes\n` };
    if (key.length === 0) return { status: 400, body: 'the body must be the key\n' };
    const stored = await store.store(build, key, () => !request.socket.destroyed);
    const fields = { build: build === undefined ? undefined : `${build.namespace}/${build.name}`, source: from };
    if (stored === 'superseded') {
      logger.warn('a key was not taken: a later claim of the build has stored one', fields);
      return { status: 409, body: 'a later claim of this build has stored its key already\n' };
    }
    logger.info('key stored', fields);
    return { status: 200, body: stored.text };
  }

  #failure(path: string, error: unknown, request: IncomingMessage): KeyAnswer {
    const { logger } = this.#options;
    if (request.socket.destroyed) {
      logger.debug('a client went away', { path });
      return { status: 400 };
    }
    if (error instanceof ApiError && error.kind !== 'refused' && error.kind !== 'invalid') {
      logger.warn('the API server could not be asked', { path, error });
      return { status: 503, retryAfter: Math.max(1, Math.ceil((error.retryAfter ?? 0) / 1000)) };
    }
    logger.error('a request failed', { path, error });
    return { status: 500 };
  }
}

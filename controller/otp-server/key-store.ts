// Keeps private keys in Secrets and gives each out once per run of its build, whichever replica is asked: the Secret is
// spent by an update that fails when anybody has touched it since it was read. Keeps nothing in memory.
import { randomBytes } from 'node:crypto';
import { ApiError, type ApiErrorKind } from '../kubernetes/api-errors.ts';
import type { Cluster, JsonPatchOperation } from '../kubernetes/cluster.ts';
import type { Duration } from '../model/instant.ts';
import { storedKeyName } from '../model/one-time-key.ts';
import type { Clock } from '../model/clock.ts';
import type { KeyRing } from './key-ring.ts';
import { digestOf, makeToken, type OneTimeToken } from './one-time-token.ts';
import { openKey, sealKey } from './sealed-key.ts';
import {
  type BuildIdentity,
  giveBackPatch,
  readStoredKey,
  type Refusal,
  refusalOf,
  spendPatch,
  type StoredKey,
  storedKeyManifest,
} from './stored-key.ts';

export interface KeyStoreOptions {
  readonly cluster: Pick<Cluster, 'read' | 'create' | 'patch' | 'delete'>;
  readonly namespace: string;
  readonly ring: Pick<KeyRing, 'newest' | 'find'>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** A key nobody released is good for so long. */
  readonly keepFor: Duration;
}

export interface Redeemed {
  readonly key: Buffer;
  /** `<namespace>/<name>`, for the log. */
  readonly build: string;
  /** The answer never left: the token is good again. */
  readonly giveBack: () => Promise<void>;
}

interface Redemption {
  readonly id: string;
  before: StoredKey | undefined;
}

/** How often others may come between before we say that it does not work now. */
const tries = 8;
const firstPause: Duration = 250;
const lastPause: Duration = 16_000;

export class KeyStore {
  readonly #options: KeyStoreOptions;
  readonly #givingBack = new Set<Promise<void>>();

  constructor(options: KeyStoreOptions) {
    this.#options = options;
  }

  /**
   * Replaces the key of an earlier claim of the same build; 'superseded' when a later claim has stored one already.
   * `isWanted` is asked before anything is replaced: a client that gave up has asked again, and that is the one that counts.
   */
  async store(
    build: BuildIdentity | undefined,
    key: Buffer,
    isWanted: () => boolean,
  ): Promise<OneTimeToken | 'superseded'> {
    const { cluster, namespace, ring, clock, keepFor } = this.#options;
    const token = makeToken(build?.uid ?? randomBytes(16).toString('hex'));
    const encryptionKey = await ring.newest();
    const content = {
      digest: digestOf(token),
      sealed: sealKey(key, token, storedKeyName(token.id), encryptionKey),
      sealedWith: encryptionKey.id,
      expires: clock.now() + keepFor,
    };
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      const created = cluster.create('secrets', namespace, storedKeyManifest(token.id, content, build));
      if ((await unless(created, 'exists')) !== undefined) return token;
      const other = await this.#read(token.id);
      if (other === undefined) continue;
      if (other.digest.equals(content.digest)) return token;
      if (other.attempt > (build?.attempt ?? 0) || !isWanted()) return 'superseded';
      await unless(cluster.delete('secrets', namespace, other.name, { uid: other.uid }), 'gone');
    }
    throw contested(`storing the key of ${token.id}`);
  }

  async redeem(token: OneTimeToken): Promise<Redeemed | Refusal> {
    const redemption: Redemption = { id: randomBytes(12).toString('hex'), before: undefined };
    try {
      return await this.#redeem(token, redemption);
    } catch (error) {
      // Nobody gets a key now, so nothing may stay spent for it, should a write of ours have arrived after all.
      if (redemption.before !== undefined) void this.#giveBack(redemption.before, redemption.id);
      throw error;
    }
  }

  /** Notes in `redemption` what it found before it tried to spend. */
  async #redeem(token: OneTimeToken, redemption: Redemption): Promise<Redeemed | Refusal> {
    const digest = digestOf(token);
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      const stored = await this.#read(token.id);
      if (stored === undefined) return 'unknown';
      const refusal = refusalOf(stored, digest, this.#options.clock.now());
      // Our write may have been sent twice: the second was refused because the first had succeeded.
      const done = redemption.before !== undefined && stored.spentBy === redemption.id;
      if (refusal !== undefined && !(done && refusal === 'spent')) return refusal;
      // Opened first: what cannot be opened is not spent.
      const key = await this.#open(stored, token);
      const before = (done ? redemption.before : undefined) ?? stored;
      redemption.before = before;
      const spent = done || (await this.#patch(stored.name, spendPatch(stored, redemption.id)));
      if (spent) return { key, build: stored.build, giveBack: () => this.#giveBack(before, redemption.id) };
    }
    throw contested(`redeeming the key of ${token.id}`);
  }

  /** Resolves when nothing is left to be given back. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#givingBack);
  }

  async #giveBack(stored: StoredKey, redemption: string): Promise<void> {
    const giving = this.#untilGivenBack(stored, redemption);
    this.#givingBack.add(giving);
    await giving.finally(() => this.#givingBack.delete(giving));
  }

  /** Goes on through half a minute without an API server: as long as a build asks again. */
  async #untilGivenBack(stored: StoredKey, redemption: string): Promise<void> {
    for (let pause = firstPause; pause <= lastPause; pause *= 2) {
      try {
        await this.#patch(stored.name, giveBackPatch(stored, redemption));
        return;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        await this.#options.clock.sleep(pause);
      }
    }
  }

  /** False: it did not apply, somebody came between. */
  async #patch(name: string, operations: readonly JsonPatchOperation[]): Promise<boolean> {
    const { cluster, namespace } = this.#options;
    const patched = cluster.patch('secrets', namespace, name, { type: 'json', operations });
    return (await unless(patched, 'conflict', 'gone')) !== undefined;
  }

  async #open(stored: StoredKey, token: OneTimeToken): Promise<Buffer> {
    const encryptionKey = await this.#options.ring.find(stored.sealedWith);
    if (encryptionKey === undefined)
      throw new Error(`Secret ${stored.name}: its encryption key '${stored.sealedWith}' is gone; put it back`);
    return openKey(stored.sealed, token, stored.name, encryptionKey);
  }

  async #read(id: string): Promise<StoredKey | undefined> {
    const read = this.#options.cluster.read('secrets', this.#options.namespace, storedKeyName(id));
    const raw = await unless(read, 'gone');
    return raw === undefined ? undefined : readStoredKey(raw);
  }
}

/** Undefined for errors of these kinds. */
async function unless<Answer>(answer: Promise<Answer>, ...kinds: ApiErrorKind[]): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && kinds.includes(error.kind)) return undefined;
    throw error;
  }
}

function contested(what: string): ApiError {
  return new ApiError({ kind: 'unavailable', message: `${what}: others kept changing it` });
}

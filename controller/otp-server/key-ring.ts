// The keys of the installation that stored private keys are encrypted with: `key-1`, `key-2`, … of a mounted folder, or of
// the Secret it is mounted from when the kubelet has not brought it yet. The highest number encrypts, all of them decrypt.
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiError } from '../kubernetes/api-errors.ts';
import type { Cluster, KubeObject } from '../kubernetes/cluster.ts';
import type { Duration } from '../model/instant.ts';
import { asTextMap } from '../model/json.ts';
import type { Clock } from '../model/clock.ts';
import type { EncryptionKey } from './sealed-key.ts';

export const encryptionSecret = 'multi-platform-otp-encryption';
const keyName = /^key-(?<number>[1-9][0-9]{0,8})$/;
const keyBytes = 32;
const readAgainAfter: Duration = 10_000;

export interface KeyRingOptions {
  readonly cluster: Pick<Cluster, 'read' | 'create'>;
  readonly namespace: string;
  readonly folder: string;
  readonly clock: Pick<Clock, 'monotonic'>;
}

export class KeyRing {
  readonly #options: KeyRingOptions;
  #keys: readonly EncryptionKey[] = [];
  #read = 0;

  private constructor(options: KeyRingOptions) {
    this.#options = options;
  }

  /** Makes the first key of an installation. Two replicas that start at once end with the same one. */
  static async load(options: KeyRingOptions): Promise<KeyRing> {
    const ring = new KeyRing(options);
    await ring.#reload();
    return ring;
  }

  /** The key that encrypts now. A newer one counts within ten seconds of its arrival. */
  async newest(): Promise<EncryptionKey> {
    if (this.#options.clock.monotonic() - this.#read >= readAgainAfter) {
      // While the API server is away, what is known serves.
      await this.#reload().catch(() => undefined);
    }
    const [newest] = this.#keys;
    if (newest === undefined) throw new Error('there is no encryption key');
    return newest;
  }

  /** A key another replica has already used may not have been mounted here yet: then the Secret is asked. */
  async find(id: string): Promise<EncryptionKey | undefined> {
    const known = (): EncryptionKey | undefined => this.#keys.find((key) => key.id === id);
    if (known() !== undefined) return known();
    await this.#reload();
    return known() ?? (await this.#readSecret()).find((key) => key.id === id);
  }

  async #reload(): Promise<void> {
    const mounted = await readFolder(this.#options.folder);
    const keys = mounted.length > 0 ? mounted : await this.#readSecret();
    this.#keys = keys.length > 0 ? keys : await this.#make();
    this.#read = this.#options.clock.monotonic();
  }

  async #readSecret(): Promise<EncryptionKey[]> {
    const { cluster, namespace } = this.#options;
    try {
      return keysOfSecret(await cluster.read('secrets', namespace, encryptionSecret));
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'gone') return [];
      throw error;
    }
  }

  async #make(): Promise<EncryptionKey[]> {
    const { cluster, namespace } = this.#options;
    const data = { 'key-1': randomBytes(keyBytes).toString('base64') };
    try {
      const body = { metadata: { name: encryptionSecret }, type: 'Opaque', data };
      return keysOfSecret(await cluster.create('secrets', namespace, body));
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'exists') return this.#readExisting();
      throw error;
    }
  }

  async #readExisting(): Promise<EncryptionKey[]> {
    const keys = await this.#readSecret();
    if (keys.length > 0) return keys;
    throw new Error(`Secret ${encryptionSecret} has no key named key-<number>; add one, or delete the Secret`);
  }
}

async function readFolder(folder: string): Promise<EncryptionKey[]> {
  // Nothing is mounted: the Secret did not exist when the pod started.
  const names = await readdir(folder).catch(() => []);
  const keys = names.filter((name) => keyName.test(name));
  return sorted(await Promise.all(keys.map(async (id) => ({ id, secret: await readFile(join(folder, id)) }))));
}

function keysOfSecret(secret: KubeObject): EncryptionKey[] {
  const entries = Object.entries(asTextMap(secret['data'])).filter(([id]) => keyName.test(id));
  return sorted(entries.map(([id, value]) => ({ id, secret: Buffer.from(value, 'base64') })));
}

/** Newest first. */
function sorted(keys: EncryptionKey[]): EncryptionKey[] {
  const short = keys.find(({ secret }) => secret.length < keyBytes);
  if (short !== undefined) {
    throw new Error(
      `encryption key '${short.id}' has ${short.secret.length} bytes; make it of ${keyBytes} random ones`,
    );
  }
  const numberOf = ({ id }: EncryptionKey): number => Number(keyName.exec(id)?.groups?.['number']);
  return keys.sort((one, other) => numberOf(other) - numberOf(one));
}

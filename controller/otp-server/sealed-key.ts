// A private key at rest: AES-256-GCM under an encryption key of the installation and the token, so that neither whoever
// reads the Secrets nor whoever finds a token later can open it alone. Pure but for chance; knows nothing of Secrets.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { OneTimeToken } from './one-time-token.ts';

export interface EncryptionKey {
  /** Name of the key, stored beside what it sealed. */
  readonly id: string;
  readonly secret: Buffer;
}

const algorithm = 'aes-256-gcm';
const saltLength = 16;
const nonceLength = 12;
const tagLength = 16;

/** `place`: where it will lie. It opens nowhere else. */
export function sealKey(key: Buffer, token: OneTimeToken, place: string, encryptionKey: EncryptionKey): Buffer {
  const [salt, nonce] = [randomBytes(saltLength), randomBytes(nonceLength)];
  const cipher = createCipheriv(algorithm, derive(encryptionKey, token, salt), nonce, { authTagLength: tagLength });
  cipher.setAAD(Buffer.from(place));
  const text = Buffer.concat([cipher.update(key), cipher.final()]);
  return Buffer.concat([salt, nonce, cipher.getAuthTag(), text]);
}

/** Throws when anything of it was changed. */
export function openKey(sealed: Buffer, token: OneTimeToken, place: string, encryptionKey: EncryptionKey): Buffer {
  const salt = sealed.subarray(0, saltLength);
  const nonce = sealed.subarray(saltLength, saltLength + nonceLength);
  const tag = sealed.subarray(saltLength + nonceLength, saltLength + nonceLength + tagLength);
  const text = sealed.subarray(saltLength + nonceLength + tagLength);
  const cipher = createDecipheriv(algorithm, derive(encryptionKey, token, salt), nonce, { authTagLength: tagLength });
  cipher.setAAD(Buffer.from(place));
  cipher.setAuthTag(tag);
  return Buffer.concat([cipher.update(text), cipher.final()]);
}

function derive({ id, secret }: EncryptionKey, token: OneTimeToken, salt: Buffer): Buffer {
  const both = Buffer.concat([secret, Buffer.from(token.text)]);
  return Buffer.from(hkdfSync('sha256', both, salt, `one-time key ${id}`, 32));
}

// Names a host before there is one. The same claim always gives the same token, so whatever is launched for it is found again;
// and nobody else can make one, so that no other installation's hosts are ever taken for ours.
import { createHash, createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { NamedFor } from './names.ts';

export type LaunchTokens = (build: Omit<NamedFor, 'host'>) => string;

const nameLength = 12;
const markLength = 8;
const tokenPattern = /^mp-([0-9a-f]{12})([0-9a-f]{8})$/;

/** `mp-<20 hex>`: a DNS label. */
export function launchTokens(key: KeyObject): LaunchTokens {
  return ({ uid, namespace, name, attempt }) => {
    const parts = JSON.stringify([namespace, name, uid, attempt]);
    const hash = createHash('sha256').update(parts).digest('hex').slice(0, nameLength);
    return `mp-${hash}${markOf(key, hash)}`;
  };
}

/** Whoever made it, and for whichever build. */
export function isToken(text: string): boolean {
  return tokenPattern.test(text);
}

/** Made with this key, that is, by this installation. */
export function isOwnToken(key: KeyObject, token: string): boolean {
  const [, hash = '', mark = ''] = tokenPattern.exec(token) ?? [];
  return hash !== '' && timingSafeEqual(Buffer.from(mark), Buffer.from(markOf(key, hash)));
}

function markOf(key: KeyObject, hash: string): string {
  return createHmac('sha256', key).update('launch token\n').update(hash).digest('hex').slice(0, markLength);
}

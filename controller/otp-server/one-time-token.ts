// The token a build exchanges for its key: `<id>-<secret>`. The id says where the key lies and is no secret; the rest
// cannot be guessed. Made of the characters tokens have always been made of.
import { createHash, randomInt } from 'node:crypto';

const characters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 26 of 62 characters: 154 bits. */
const secretLength = 26;
const form = new RegExp(`^(?<id>[0-9a-z](?:[-0-9a-z]{0,61}[0-9a-z])?)-[${characters}]{${secretLength}}$`);

export interface OneTimeToken {
  readonly id: string;
  readonly text: string;
}

export function makeToken(id: string): OneTimeToken {
  const secret = Array.from({ length: secretLength }, () => characters[randomInt(characters.length)]).join('');
  return { id, text: `${id}-${secret}` };
}

/** Undefined for what cannot be a token. Clients that send a file may send its last line feed as well. */
export function parseToken(body: Buffer): OneTimeToken | undefined {
  const text = body.toString('latin1').replace(/\r?\n$/, '');
  const id = form.exec(text)?.groups?.['id'];
  return id === undefined ? undefined : { id, text };
}

/** What is stored of a token. */
export function digestOf(token: OneTimeToken): Buffer {
  return createHash('sha256').update(token.text).digest();
}

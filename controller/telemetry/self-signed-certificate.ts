// Makes a certificate: one fresh P-256 key, signed by itself. For the metrics, whose scrapers do not verify it (a token
// protects them), and for a key server that nobody else makes one for. In DER (RFC 5280), which needs no library.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { Certificate } from './endpoint.ts';

const day = 24 * 60 * 60 * 1000;
const oid = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  keyUsage: '551d0f',
  extendedKeyUsage: '551d25',
  serverAuth: '2b06010505070301',
} as const;
const tag = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  dnsName: 0x82,
  explicit0: 0xa0,
  explicit3: 0xa3,
} as const;

export interface SelfSignedOptions {
  /** DNS names; the first is also the common name. */
  readonly names: readonly [string, ...string[]];
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly days: number;
}

export function selfSignedCertificate({ names, notBefore, days }: SelfSignedOptions): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(objectId(oid.ecdsaWithSha256));
  const name = distinguishedName(names[0]);
  const signed = sequence(
    der(tag.explicit0, integer(2)),
    // Positive, never zero, 20 octets at most.
    integer(0x40, ...randomBytes(15)),
    algorithm,
    name,
    sequence(time(notBefore), time(notBefore + days * day)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(tag.explicit3, extensions(names)),
  );
  const signature = sign('sha256', signed, privateKey);
  const certificate = sequence(signed, algorithm, der(tag.bits, Buffer.of(0), signature));
  return { cert: pem(certificate), key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}

function extensions(names: readonly string[]): Buffer {
  const dnsNames = names.map((name) => der(tag.dnsName, Buffer.from(name, 'ascii')));
  const digitalSignature = der(tag.bits, Buffer.of(7, 0x80));
  return sequence(
    extension(oid.basicConstraints, sequence(), 'critical'),
    extension(oid.keyUsage, digitalSignature, 'critical'),
    extension(oid.extendedKeyUsage, sequence(objectId(oid.serverAuth))),
    extension(oid.subjectAltName, sequence(...dnsNames)),
  );
}

function extension(id: string, value: Buffer, critical?: 'critical'): Buffer {
  const flag = critical === undefined ? [] : [der(tag.boolean, Buffer.of(0xff))];
  return sequence(objectId(id), ...flag, der(tag.octets, value));
}

function distinguishedName(commonName: string): Buffer {
  // X.520 allows 64 characters; the full name stands among the DNS names.
  const text = Buffer.from(commonName.slice(0, 64), 'utf8');
  return sequence(der(tag.set, sequence(objectId(oid.commonName), der(tag.utf8, text))));
}

/** RFC 5280 §4.1.2.5: two-digit years up to 2049. */
function time(instant: number): Buffer {
  const digits = new Date(instant).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  const short = Number(digits.slice(0, 4)) < 2050;
  return der(short ? tag.utcTime : tag.generalizedTime, Buffer.from(short ? digits.slice(2) : digits, 'ascii'));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(tag.sequence, ...parts);
}

function objectId(hex: string): Buffer {
  return der(tag.oid, Buffer.from(hex, 'hex'));
}

function integer(...octets: readonly number[]): Buffer {
  return der(tag.integer, Buffer.from(octets));
}

function der(type: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.of(type, content.length), content]);
  const hex = content.length.toString(16);
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.of(type, 0x80 | length.length), length, content]);
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

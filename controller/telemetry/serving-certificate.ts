// Where the certificate of an endpoint comes from, and when there is a newer one: a folder that somebody renews (a mounted
// Secret, as the key server has), or one signed by ourselves and renewed in time (metrics).
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../model/clock.ts';
import type { Certificate } from './endpoint.ts';
import { selfSignedCertificate } from './self-signed-certificate.ts';

const lifetimeDays = 365;
const renewAfter = 300 * 24 * 60 * 60 * 1000;
/** Clocks of scrapers may be a little behind ours. */
const skew = 60 * 60 * 1000;

export interface CertificateSource {
  /** The certificate to serve now; the same object as long as it has not changed. */
  current(): Promise<Certificate>;
}

/** `tls.crt` and `tls.key` of a folder. An unreadable or half-written pair is an error that leaves the old one in use. */
export function certificateFolder(folder: string): CertificateSource {
  let known: Certificate | undefined;
  const current = async (): Promise<Certificate> => {
    const [cert, key] = await Promise.all([
      readFile(join(folder, 'tls.crt'), 'utf8'),
      readFile(join(folder, 'tls.key'), 'utf8'),
    ]);
    if (known?.cert === cert && known.key === key) return known;
    // Throws when the two do not belong together, as between two writes of a renewal.
    createSecureContext({ cert, key });
    known = { cert, key };
    return known;
  };
  return { current };
}

export function selfSigned(names: readonly [string, ...string[]], clock: Pick<Clock, 'now'>): CertificateSource {
  let known: { certificate: Certificate; made: number } | undefined;
  const current = (): Promise<Certificate> => {
    const now = clock.now();
    if (known === undefined || now - known.made > renewAfter) {
      const certificate = selfSignedCertificate({ names, notBefore: now - skew, days: lifetimeDays });
      known = { certificate, made: now };
    }
    return Promise.resolve(known.certificate);
  };
  return { current };
}

/** For the log: what is served, never the key. */
export function describeCertificate({ cert }: Certificate): { subject: string; expires: string; fingerprint: string } {
  const parsed = new X509Certificate(cert);
  return { subject: parsed.subject, expires: parsed.validTo, fingerprint: parsed.fingerprint256 };
}

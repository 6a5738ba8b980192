// The certificate this server shows: the mounted one, whoever makes it. Where the installation says that nobody does, it
// is made here once and put where a provision TaskRun looks for it.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { ApiError } from '../kubernetes/api-errors.ts';
import type { Cluster, KubeObject } from '../kubernetes/cluster.ts';
import { asTextMap } from '../model/json.ts';
import type { Clock } from '../model/clock.ts';
import type { Certificate } from '../telemetry/endpoint.ts';
import { selfSignedCertificate } from '../telemetry/self-signed-certificate.ts';
import { certificateFolder, type CertificateSource } from '../telemetry/serving-certificate.ts';

export const certificateSecret = 'otp-tls-secrets';
const service = 'multi-platform-otp-server';
/** Ten years: a build trusts this very certificate, so a new one must not come while it waits. */
const days = 3650;
const skew = 60 * 60 * 1000;

export interface OtpCertificateOptions {
  readonly cluster: Pick<Cluster, 'read' | 'create'>;
  readonly namespace: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly folder: string;
  /** Make it when there is none. */
  readonly make: boolean;
}

export function otpCertificate(options: OtpCertificateOptions): CertificateSource {
  const mounted = certificateFolder(options.folder);
  let made: Certificate | undefined;
  return {
    current: async () => {
      const isMounted = await access(join(options.folder, 'tls.crt')).then(
        () => true,
        () => false,
      );
      if (isMounted) return mounted.current();
      if (!options.make)
        throw new Error(`there is no ${join(options.folder, 'tls.crt')} yet (Secret ${certificateSecret})`);
      made ??= await readOrMake(options);
      return made;
    },
  };
}

/** Two replicas that start at once end with the same one. */
async function readOrMake({ cluster, namespace, clock }: OtpCertificateOptions): Promise<Certificate> {
  const full = `${service}.${namespace}.svc`;
  const { cert, key } = selfSignedCertificate({
    names: [full, `${full}.cluster.local`, `${service}.${namespace}`, service],
    notBefore: clock.now() - skew,
    days,
  });
  const data = { 'tls.crt': Buffer.from(cert).toString('base64'), 'tls.key': Buffer.from(key).toString('base64') };
  try {
    const body = { metadata: { name: certificateSecret }, type: 'kubernetes.io/tls', data };
    return certificateOf(await cluster.create('secrets', namespace, body));
  } catch (error) {
    if (!(error instanceof ApiError) || error.kind !== 'exists') throw error;
    return certificateOf(await cluster.read('secrets', namespace, certificateSecret));
  }
}

/** Throws when the two do not belong together. */
function certificateOf(secret: KubeObject): Certificate {
  const data = asTextMap(secret['data']);
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
  const certificate = { cert: text('tls.crt'), key: text('tls.key') };
  createSecureContext(certificate);
  return certificate;
}

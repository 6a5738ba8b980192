// A throw-away certificate authority for tests, made with openssl: server certificates for loopback, client
// certificates for anybody. Its files live in the folder it is given.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

const run = promisify(execFile);

export class CertificateAuthority {
  readonly certificate: string;
  readonly #folder: string;
  #issued = 0;

  private constructor(folder: string, certificate: string) {
    this.#folder = folder;
    this.certificate = certificate;
  }

  static async create(folder: string): Promise<CertificateAuthority> {
    const at = (name: string): string => join(folder, name);
    // Without the distribution's defaults, which would make every certificate an authority.
    await writeFile(at('openssl.cnf'), '[req]\ndistinguished_name = dn\n[dn]\n');
    const authority = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,digitalSignature'];
    await newCertificate(folder, '/CN=test-ca', [
      ...extended(authority),
      '-keyout',
      at('ca.key'),
      '-out',
      at('ca.crt'),
    ]);
    return new CertificateAuthority(folder, await readFile(at('ca.crt'), 'utf8'));
  }

  /** For 127.0.0.1 and localhost. */
  async issueServer(): Promise<KeyPair> {
    return this.#issue('/CN=localhost', ['extendedKeyUsage=serverAuth', 'subjectAltName=IP:127.0.0.1,DNS:localhost']);
  }

  /** A client the API server knows as that user in those groups. */
  async issueClient(user: string, groups: readonly string[] = []): Promise<KeyPair> {
    const subject = [`CN=${user}`, ...groups.map((group) => `O=${group}`)].map((it) => `/${it.replaceAll('/', '\\/')}`);
    return this.#issue(subject.join(''), ['extendedKeyUsage=clientAuth']);
  }

  async #issue(subject: string, extensions: readonly string[]): Promise<KeyPair> {
    this.#issued += 1;
    const at = (name: string): string => join(this.#folder, name);
    const [certificate, key] = [at(`issued-${this.#issued}.crt`), at(`issued-${this.#issued}.key`)];
    const issuer = ['-CA', at('ca.crt'), '-CAkey', at('ca.key')];
    const names = extended(['basicConstraints=CA:FALSE', ...extensions]);
    await newCertificate(this.#folder, subject, [...issuer, ...names, '-keyout', key, '-out', certificate]);
    return { certificate: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') };
  }
}

function extended(extensions: readonly string[]): string[] {
  return extensions.flatMap((it) => ['-addext', it]);
}

async function newCertificate(folder: string, subject: string, more: readonly string[]): Promise<void> {
  const config = join(folder, 'openssl.cnf');
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  await run('openssl', ['req', '-x509', '-config', config, ...newKey, '-subj', subject, ...more]);
}

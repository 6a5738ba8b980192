import { expect } from 'chai';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  certificateFolder,
  describeCertificate,
  selfSigned,
} from '../../../controller/telemetry/serving-certificate.ts';
import { selfSignedCertificate } from '../../../controller/telemetry/self-signed-certificate.ts';

const day = 24 * 60 * 60 * 1000;
const noon = Date.UTC(2026, 0, 1, 12);

describe('selfSignedCertificate', () => {
  const { cert, key } = selfSignedCertificate({ names: ['metrics.ns.svc', 'localhost'], notBefore: noon, days: 90 });
  const parsed = new X509Certificate(cert);

  it('is signed by its own key, for these names', () => {
    expect(parsed.verify(parsed.publicKey)).to.be.true;
    expect(parsed.subject).to.equal('CN=metrics.ns.svc');
    expect(parsed.issuer).to.equal(parsed.subject);
    expect(parsed.subjectAltName).to.equal('DNS:metrics.ns.svc, DNS:localhost');
    expect(parsed.checkHost('localhost')).to.equal('localhost');
    expect(parsed.checkHost('other')).to.be.undefined;
  });

  it('goes with its key, is no authority, and serves servers only', () => {
    expect(key).to.match(/^-----BEGIN PRIVATE KEY-----/);
    expect(parsed.publicKey.asymmetricKeyDetails).to.deep.equal({ namedCurve: 'prime256v1' });
    expect(parsed.ca).to.be.false;
    expect(parsed.keyUsage).to.deep.equal(['1.3.6.1.5.5.7.3.1']);
  });

  it('has a different serial number and key every time', () => {
    const other = selfSignedCertificate({ names: ['metrics.ns.svc'], notBefore: noon, days: 90 });
    expect(other.key).not.to.equal(key);
    expect(new X509Certificate(other.cert).serialNumber).not.to.equal(parsed.serialNumber);
  });

  const spans: readonly (readonly [number, number, string, string])[] = [
    [noon, 90, '2026-01-01T12:00:00.000Z', '2026-04-01T12:00:00.000Z'],
    // The year in which certificates change from two-digit to four-digit years.
    [Date.UTC(2049, 11, 31), 2, '2049-12-31T00:00:00.000Z', '2050-01-02T00:00:00.000Z'],
  ];
  for (const [notBefore, days, from, to] of spans) {
    it(`is valid from ${from} to ${to}`, () => {
      const spanned = new X509Certificate(selfSignedCertificate({ names: ['a'], notBefore, days }).cert);
      expect(new Date(spanned.validFrom).toISOString()).to.equal(from);
      expect(new Date(spanned.validTo).toISOString()).to.equal(to);
    });
  }

  it('takes many and long names', () => {
    const names: [string, ...string[]] = [
      'x'.repeat(70),
      ...Array.from({ length: 300 }, (_, index) => `name-${index}`),
    ];
    const wide = new X509Certificate(selfSignedCertificate({ names, notBefore: noon, days: 1 }).cert);
    expect(wide.subject).to.equal(`CN=${'x'.repeat(64)}`);
    expect(wide.checkHost('name-299')).to.equal('name-299');
    expect(wide.verify(wide.publicKey)).to.be.true;
  });
});

describe('selfSigned', () => {
  it('keeps its certificate for 300 days, then makes a new one that is valid already', async () => {
    let now = noon;
    const source = selfSigned(['metrics'], { now: () => now });
    const first = await source.current();
    now += 300 * day;
    expect(await source.current()).to.equal(first);
    now += 1;
    const second = await source.current();
    expect(second.cert).not.to.equal(first.cert);
    expect(Date.parse(new X509Certificate(second.cert).validFrom)).to.be.below(now);
  });
});

describe('certificateFolder', () => {
  const [old, renewed] = [0, 1].map(() => selfSignedCertificate({ names: ['given'], notBefore: noon, days: 9 }));
  let folder: string;

  async function write(cert: string | undefined, key: string | undefined): Promise<void> {
    await writeFile(join(folder, 'tls.crt'), cert ?? '');
    await writeFile(join(folder, 'tls.key'), key ?? '');
  }

  async function failureOf(promise: Promise<unknown>): Promise<string> {
    return promise.then(
      () => 'no failure',
      (error: unknown) => String(error),
    );
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'certificate-'));
    await write(old?.cert, old?.key);
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('gives the same certificate until the files change, then the new one', async () => {
    const source = certificateFolder(folder);
    const first = await source.current();
    expect(first).to.deep.equal(old);
    expect(await source.current()).to.equal(first);
    await write(renewed?.cert, renewed?.key);
    expect(await source.current()).to.deep.equal(renewed);
  });

  it('refuses a certificate and a key that do not belong together', async () => {
    await write(renewed?.cert, old?.key);
    expect(await failureOf(certificateFolder(folder).current())).to.match(/key values mismatch/i);
  });

  it('names the file that is missing', async () => {
    await rm(join(folder, 'tls.key'));
    expect(await failureOf(certificateFolder(folder).current())).to.contain('tls.key');
  });

  it('describes a certificate without its key', () => {
    const described = describeCertificate(old ?? { cert: '', key: '' });
    expect(described).to.include({ subject: 'CN=given', expires: 'Jan 10 12:00:00 2026 GMT' });
    expect(described.fingerprint).to.match(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });
});

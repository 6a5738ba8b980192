// What a real registry on loopback says of images: for one platform, for several, with and without a token, and when it cannot answer.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { imagePlatforms } from '../../taskgen/image-platforms.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';
const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const described = (mediaType: string, text: string) => ({ mediaType, digest: digestOf(text), size: text.length });

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** docker-registry; with `realm` it wants to see a token, whichever. */
class Registry {
  readonly address: string;
  readonly #process: ChildProcess;

  constructor(folder: string, port: number, realm?: string) {
    this.address = `127.0.0.1:${port}`;
    const auth = realm === undefined ? '' : `auth:\n  silly:\n    realm: ${realm}\n    service: test\n`;
    const file = join(folder, `${port}.yaml`);
    const storage = `storage:\n  filesystem:\n    rootdirectory: ${folder}/data\n`;
    writeFileSync(file, `version: 0.1\n${storage}http:\n  addr: ${this.address}\n${auth}`);
    this.#process = spawn('bash', ['-c', 'exec docker-registry serve "$0"', file], { stdio: 'ignore' });
  }

  async start(): Promise<void> {
    while ((await fetch(`http://${this.address}/v2/`).catch(() => undefined)) === undefined) await sleep(50);
  }

  async stop(): Promise<void> {
    this.#process.kill();
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
  }

  async pushBlob(repository: string, text: string): Promise<void> {
    const { headers } = await fetch(`http://${this.address}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    const place = new URL(headers.get('location') ?? '', `http://${this.address}`);
    place.searchParams.set('digest', digestOf(text));
    const { status } = await fetch(place, { method: 'PUT', body: text });
    expect(status).to.equal(201);
  }

  async pushManifest(repository: string, tag: string, mediaType: string, content: object): Promise<string> {
    const body = JSON.stringify({ schemaVersion: 2, mediaType, ...content });
    const url = `http://${this.address}/v2/${repository}/manifests/${tag}`;
    const { status } = await fetch(url, { method: 'PUT', body, headers: { 'content-type': mediaType } });
    expect(status).to.equal(201);
    return body;
  }

  async pushImage(repository: string, architecture: string): Promise<string> {
    const config = JSON.stringify({ os: 'linux', architecture, rootfs: { type: 'layers', diff_ids: [] } });
    await this.pushBlob(repository, config);
    const content = { config: described('application/vnd.oci.image.config.v1+json', config), layers: [] };
    return this.pushManifest(repository, architecture, manifestType, content);
  }
}

describe('the platforms of an image', function () {
  this.timeout(60_000);
  let folder = '';
  let open: Registry;
  let guarded: Registry;
  let issuer: Server;
  let digest = '';
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'registry-'));
    issuer = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://issuer');
      response.end(JSON.stringify({ token: `${searchParams.get('service')} ${searchParams.get('scope')}` }));
    });
    const realm = `http://127.0.0.1:${await listen(issuer)}/token`;
    open = new Registry(folder, await freePort());
    guarded = new Registry(folder, await freePort(), realm);
    await Promise.all([open.start(), guarded.start()]);
    const images = [await open.pushImage('team/builder', 'amd64'), await open.pushImage('team/builder', 'arm64')];
    digest = digestOf(images[0] ?? '');
    const manifests = images.map((image, index) => ({
      ...described(manifestType, image),
      platform: { os: 'linux', architecture: ['amd64', 'arm64'][index] },
    }));
    // Build tools list what they attest of an image beside it.
    const attestation = {
      ...described(manifestType, images[0] ?? ''),
      platform: { os: 'unknown', architecture: 'unknown' },
    };
    await open.pushManifest('team/builder', 'latest', indexType, { manifests: [...manifests, attestation] });
  });
  after(async () => {
    issuer.close();
    await Promise.all([open.stop(), guarded.stop()]);
    rmSync(folder, { recursive: true });
  });

  it('are those of the index, without attestations', async () => {
    const both = { platforms: ['linux/amd64', 'linux/arm64'] };
    expect(await imagePlatforms(`${open.address}/team/builder`)).to.deep.equal(both);
    expect(await imagePlatforms(`${open.address}/team/builder:latest`)).to.deep.equal(both);
  });

  it('are one for a digest or tag of one image', async () => {
    const one = { platforms: ['linux/amd64'] };
    expect(await imagePlatforms(`${open.address}/team/builder@${digest}`)).to.deep.equal(one);
    expect(await imagePlatforms(`${open.address}/team/builder:latest@${digest}`)).to.deep.equal(one);
    expect(await imagePlatforms(`${open.address}/team/builder:arm64`)).to.deep.equal({ platforms: ['linux/arm64'] });
  });

  it('are told to whoever fetches the token that the registry asks for', async () => {
    const facts = await imagePlatforms(`${guarded.address}/team/builder:amd64`);
    expect(facts).to.deep.equal({ platforms: ['linux/amd64'] });
  });

  it('are not known of what is not there', async () => {
    const missing = await imagePlatforms(`${open.address}/team/other:1`);
    expect(missing).to.deep.equal({ problem: `${open.address} answered 404 Not Found` });
    const nobody = await imagePlatforms(`127.0.0.1:${await freePort()}/team/builder`);
    expect(JSON.stringify(nobody)).to.include('ECONNREFUSED');
    expect(JSON.stringify(await imagePlatforms('$(params.BUILDER)'))).to.include('no default');
  });
});

// Where the API server is and how to prove who we are, by the rules everybody knows (--kubeconfig, KUBECONFIG,
// ~/.kube/config, the pod's ServiceAccount; token files, client certificates, exec plugins). Sends nothing itself:
// the client library is used for these rules only.
import { KubeConfig, type User } from '@kubernetes/client-node';
import { readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ConnectionOptions } from 'node:tls';
import type { RequestOptions } from 'node:https';
import type { Duration } from '../model/instant.ts';
import { proxyFromEnvironment } from './proxy-from-environment.ts';

/** What a TLS connection is made with. */
export type TlsMaterial = {
  readonly [
    part in 'ca' | 'cert' | 'key' | 'passphrase' | 'rejectUnauthorized' | 'servername'
  ]: ConnectionOptions[part];
};

export interface Credentials {
  /** The same object as long as nothing in it changed: a new one means new connections. */
  readonly tls: TlsMaterial;
  readonly headers: Readonly<Record<string, string>>;
}

/** As often as other clients read a ServiceAccount's token again. */
const readAgainAfter: Duration = 60_000;
const renewAtMostEvery: Duration = 2_000;

/** Reads the kubeconfig named on the command line, or finds one by the usual rules. */
export function loadKubeConfig(file: string | undefined): KubeConfig {
  const files = file === undefined ? (process.env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean) : [file];
  const kubeConfig = new KubeConfig();
  try {
    if (file === undefined) kubeConfig.loadFromDefault();
    else kubeConfig.loadFromFile(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const which = files.length === 0 ? '~/.kube/config' : files.join(', ');
    throw new Error(`kubeconfig ${which} cannot be used: ${why}; name another with --kubeconfig or KUBECONFIG`, {
      cause: error,
    });
  }
  if (kubeConfig.getCurrentContext() === foundNowhere)
    throw new Error(
      'no cluster to work on: KUBECONFIG is not set, there is no ~/.kube/config, and this is no pod; name a kubeconfig with --kubeconfig',
    );
  refuseTokenFile(kubeConfig.getCurrentUser(), files);
  return kubeConfig;
}

/** The context the library makes up, for a server on this machine, when it finds none. */
const foundNowhere = 'loaded-context';

/** The library drops this key, and we would be anonymous without a word. */
function refuseTokenFile(user: User | null, files: readonly string[]): void {
  if (user === null) return;
  const known = [user.token, user.certData, user.certFile, user.exec, user.authProvider].some(Boolean);
  if (known || !files.some((it) => readFileSync(it, 'utf8').includes('tokenFile'))) return;
  throw new Error(
    `kubeconfig: tokenFile of user '${user.name}' is not read; write auth-provider: {name: tokenFile, config: {tokenFile: <file>}}`,
  );
}

export class KubeAccess {
  /** `https://host:port` */
  readonly origin: string;
  /** What comes before `/api`: '' mostly. */
  readonly basePath: string;
  /** From the kubeconfig, or from the environment. */
  readonly proxyUrl: string | undefined;
  /** Namespace of the current context: in a pod, the pod's own. */
  readonly namespace: string | undefined;
  readonly #load: () => KubeConfig;
  readonly #monotonic: () => Duration;
  #kubeConfig: KubeConfig;
  #reading: { readonly credentials: Promise<Credentials>; readonly since: Duration } | undefined;
  #latest: Credentials | undefined;
  #refused = false;

  /** `load` is called again when the server no longer accepts what we know. */
  constructor(load: () => KubeConfig, monotonic: () => Duration) {
    this.#load = load;
    this.#monotonic = monotonic;
    this.#kubeConfig = load();
    const context = this.#kubeConfig.getCurrentContext();
    const cluster = this.#kubeConfig.getCurrentCluster();
    if (cluster === null) {
      throw new Error(
        `kubeconfig: current-context '${context}' names no cluster; name one with --kubeconfig or KUBECONFIG`,
      );
    }
    const server = new URL(cluster.server);
    this.origin = server.origin;
    this.basePath = server.pathname.replace(/\/+$/, '');
    this.proxyUrl = cluster.proxyUrl ?? proxyFromEnvironment(server, process.env);
    this.namespace = this.#kubeConfig.getContextObject(context)?.namespace;
  }

  /** Read again every minute: tokens and CA files are replaced while we run. */
  async credentials(): Promise<Credentials> {
    const now = this.#monotonic();
    if (this.#reading === undefined || now - this.#reading.since >= readAgainAfter) {
      const reading = { credentials: this.#read(), since: now };
      this.#reading = reading;
      // A failure is not kept: the next request reads again.
      reading.credentials.catch(() => {
        if (this.#reading === reading) this.#reading = undefined;
      });
    }
    return this.#reading.credentials;
  }

  /** The server refused `used`: everything is read anew for the next request, exec plugins included. */
  renew(used: Credentials): void {
    const justRead = this.#reading !== undefined && this.#monotonic() - this.#reading.since < renewAtMostEvery;
    if (this.#latest !== used || justRead) return;
    this.#reading = undefined;
    this.#refused = true;
  }

  async #read(): Promise<Credentials> {
    if (this.#refused) {
      this.#kubeConfig = this.#load();
      this.#refused = false;
    }
    const options: RequestOptions & { servername?: string } = {};
    await this.#kubeConfig.applyToHTTPSOptions(options);
    const tls = tlsOf(options);
    const unchanged = this.#latest !== undefined && isDeepStrictEqual(tls, this.#latest.tls);
    this.#latest = { tls: unchanged ? (this.#latest?.tls ?? tls) : tls, headers: headersOf(options) };
    return this.#latest;
  }
}

function tlsOf(options: RequestOptions & { servername?: string }): TlsMaterial {
  const { ca, cert, key, passphrase, rejectUnauthorized, servername } = options;
  return { ca, cert, key, passphrase, rejectUnauthorized, servername };
}

function headersOf(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    // Token files end in a line feed, which no header may hold.
    if (typeof value === 'string') headers[name.toLowerCase()] = value.trim();
  }
  if (typeof options.auth === 'string') {
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  return headers;
}

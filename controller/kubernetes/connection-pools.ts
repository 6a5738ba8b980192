// The connections to the API server: one pool for requests, one for watches, which hold theirs for minutes, and one for
// the leader Lease, whose renewal must never stand behind a burst. Replaced as a whole when certificates change; knows
// nothing of what is sent.
import { createSecureContext } from 'node:tls';
import { Agent, ProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';
import type { Duration } from '../model/instant.ts';
import type { Credentials, KubeAccess } from './kube-access.ts';

export type PoolName = 'requests' | 'watches' | 'leader';

export interface Connection {
  readonly dispatcher: Dispatcher;
  readonly credentials: Credentials;
}

const connectTimeout: Duration = 5_000;
/** Well below the time after which the server closes an idle connection: never send into a closing one. */
const keepAliveTimeout: Duration = 30_000;
/** Enough for the claims that are written at once; each one costs both sides a handshake. */
const requestConnections = 16;
/** A second one, should the first have died without a word. */
const leaderConnections = 2;

export class ConnectionPools {
  readonly #access: KubeAccess;
  #pools: ({ readonly tls: Credentials['tls'] } & Readonly<Record<PoolName, Dispatcher>>) | undefined;
  #closed = false;

  constructor(access: KubeAccess) {
    this.#access = access;
  }

  async open(pool: PoolName): Promise<Connection> {
    const credentials = await this.#access.credentials();
    if (this.#closed) throw new Error('the connections to the API server are closed');
    if (this.#pools?.tls !== credentials.tls) {
      const old = this.#pools;
      const connect = connectOptions(credentials.tls);
      this.#pools = {
        tls: credentials.tls,
        requests: this.#newPool(connect, requestConnections),
        watches: this.#newPool(connect, null),
        leader: this.#newPool(connect, leaderConnections),
      };
      // Requests under way finish; watches of the old pool end by themselves within minutes.
      void Promise.allSettled([old?.requests.close(), old?.watches.close(), old?.leader.close()]);
    }
    return { dispatcher: this.#pools[pool], credentials };
  }

  /** Ends all connections. What is under way fails. */
  async close(): Promise<void> {
    this.#closed = true;
    const { requests, watches, leader } = this.#pools ?? {};
    await Promise.allSettled([requests?.destroy(), watches?.destroy(), leader?.destroy()]);
  }

  #newPool(connect: ConnectOptions, connections: number | null): Dispatcher {
    const options = { connections, keepAliveTimeout, keepAliveMaxTimeout: keepAliveTimeout, pipelining: 1 };
    const { proxyUrl } = this.#access;
    if (proxyUrl === undefined) return new Agent({ ...options, connect });
    if (!/^https?:/.test(proxyUrl)) {
      throw new Error(
        `'${proxyUrl}' (proxy-url in the kubeconfig, or HTTPS_PROXY) is not supported: use an http:// or https:// proxy`,
      );
    }
    return new ProxyAgent({ ...options, uri: proxyUrl, requestTls: connect });
  }
}

type ConnectOptions = ReturnType<typeof connectOptions>;

/** Certificates are read once for all connections: doing it for each costs more than the rest of a handshake. */
function connectOptions({ ca, cert, key, passphrase, rejectUnauthorized, servername }: Credentials['tls']) {
  const secureContext = createSecureContext({ ca, cert, key, passphrase });
  return { secureContext, rejectUnauthorized, servername, timeout: connectTimeout };
}

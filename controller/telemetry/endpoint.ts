// A listening HTTP(S) server with the limits both small servers of the controller share: short time-outs, few
// connections, no bodies. Knows no path.
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { ListenAddress } from './listen-address.ts';

const limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16 * 1024,
  connectionsCheckingInterval: 5_000,
};
const maxConnections = 64;

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export class Endpoint {
  readonly #server: Server | SecureServer;

  private constructor(server: Server | SecureServer) {
    this.#server = server;
  }

  /** Plain HTTP without a certificate. Rejects when the address cannot be bound. */
  static async listen(address: ListenAddress, answer: RequestListener, certificate?: Certificate): Promise<Endpoint> {
    const server =
      certificate === undefined
        ? createServer(limits, answer)
        : createSecureServer({ ...limits, ...certificate, minVersion: 'TLSv1.2' }, answer);
    server.maxConnections = maxConnections;
    // A client that speaks no HTTP, or no TLS, is its own problem.
    server.on('clientError', (_error, socket) => socket.destroy());
    server.listen(address.port, address.host);
    await once(server, 'listening');
    return new Endpoint(server);
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server is closed');
    return address.port;
  }

  /** For connections made from now on. */
  replaceCertificate(certificate: Certificate): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext({ ...certificate, minVersion: 'TLSv1.2' });
  }

  /** Ends idle connections and then all others: nothing here is worth finishing. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

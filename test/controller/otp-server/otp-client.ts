// How the tests speak to a key server: one request on a connection of its own, verified, as curl would send it.
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectSecure, type TLSSocket } from 'node:tls';

export const serverName = 'multi-platform-otp-server.multi-platform-controller.svc.cluster.local';

export interface Asked {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  readonly fingerprint: string;
}

export interface Asking {
  readonly port: number;
  readonly ca: string;
  readonly method?: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** An address of the loopback network to come from. */
  readonly from?: string;
}

export function ask(path: string, asking: Asking): Promise<Asked> {
  const { port, ca, method = 'POST', body = '', headers = {}, from = '127.0.0.1' } = asking;
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, method, ca, headers, agent: false, servername: serverName, localAddress: from },
      (response) => {
        const socket = response.socket as TLSSocket; // oxlint-disable-line typescript/no-unsafe-type-assertion -- https has no other
        const { fingerprint256: fingerprint } = socket.getPeerCertificate();
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers, fingerprint }),
        );
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A connection that says nothing by itself. */
export async function openSocket(port: number, from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

export async function openTls(port: number, ca: string): Promise<TLSSocket> {
  const socket = connectSecure({ port, host: '127.0.0.1', ca, servername: serverName });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

// A proxy between the controller and the API server that can be slow, silent, broken or gone, and that counts what
// passes. Everything behind it is real. Whoever comes without a token is an admin upstream.
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import * as https from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiServer } from './api-server.ts';
import { readApiPath } from './api-path.ts';
import type { ApiPath } from './api-path.ts';
import { matches, nameIn, type Mischief, type PassedRequest, type Rule } from './chaos-rules.ts';

export async function startChaosProxy(upstream: ApiServer): Promise<ChaosProxy> {
  const { certificate: cert, key } = await upstream.authority.issueServer();
  const proxy = new ChaosProxy(upstream, createServer({ cert, key }));
  await proxy.listen();
  return proxy;
}

export class ChaosProxy {
  readonly requests: PassedRequest[] = [];
  readonly #upstream: ApiServer;
  readonly #server: Server;
  readonly #asAdmin: https.Agent;
  readonly #asSomebody: https.Agent;
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Map<ServerResponse, PassedRequest>();
  readonly #muted = new WeakSet<ServerResponse>();
  readonly #rules = new Set<{ rule: Rule; left: number }>();
  #up = true;
  /** How many connections were ever accepted. */
  connections = 0;
  url = '';

  constructor(upstream: ApiServer, server: Server) {
    this.#upstream = upstream;
    this.#server = server;
    const ca = upstream.authority.certificate;
    const { certificate: cert, key } = upstream.admin;
    this.#asAdmin = new https.Agent({ keepAlive: true, ca, cert, key });
    this.#asSomebody = new https.Agent({ keepAlive: true, ca });
    server.on('connection', (socket) => {
      if (socket instanceof Socket) this.#accept(socket);
    });
    server.on('tlsClientError', () => undefined);
    server.on(
      'request',
      (request, response) => void this.#pass(request, response).catch(() => request.socket.destroy()),
    );
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    this.url = `https://127.0.0.1:${address.port}`;
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  /** Adds a rule; the first one that matches is applied. Returns how to take it away. */
  add(rule: Rule): () => void {
    const entry = { rule, left: rule.times ?? Infinity };
    this.#rules.add(entry);
    return () => this.#rules.delete(entry);
  }

  /** How many requests of that kind came, answered or not. */
  count(filter: { verb?: ApiPath['verb']; resource?: string } = {}): number {
    return this.requests.filter((it) => matches(filter, it)).length;
  }

  /** Resets every open connection, or only those of watches of one resource. */
  cut(resource?: string): void {
    if (resource === undefined) for (const socket of this.#sockets) socket.resetAndDestroy();
    for (const [response, request] of this.#watches) if (request.resource === resource) response.socket?.destroy();
  }

  /** Like an API server that is away: open connections break, new ones are refused. */
  down(): void {
    this.#up = false;
    this.cut();
  }

  up(): void {
    this.#up = true;
  }

  /** Says something to every open watch that the server did not. */
  inject(resource: string, line: string): void {
    for (const [response, request] of this.#watches) if (request.resource === resource) response.write(`${line}\n`);
  }

  /** The watches that are open now say nothing more, and do not end either. */
  mute(resource: string): void {
    for (const [response, request] of this.#watches) if (request.resource === resource) this.#muted.add(response);
  }

  async stop(): Promise<void> {
    this.down();
    this.#asAdmin.destroy();
    this.#asSomebody.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    if (!this.#up) {
      socket.destroy();
      return;
    }
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const passed = this.#note(request, body);
    const mischief = this.#mischiefFor(passed);
    switch (mischief?.type) {
      case 'answer':
        passed.status = mischief.status;
        response.writeHead(mischief.status, mischief.headers).end(mischief.body);
        return;
      case 'cut':
        request.socket.destroy();
        return;
      case 'silence':
        return;
      case 'delay':
        await sleep(mischief.ms, undefined, { ref: false });
        break;
      case 'lag':
      case 'lose-answer':
      case undefined:
        break;
    }
    const answer = await this.#forward(request, body);
    passed.status = answer.statusCode ?? 0;
    if (mischief?.type === 'lose-answer') {
      mischief.once?.();
      request.socket.destroy();
      return;
    }
    await this.#answer(passed, answer, response, mischief?.type === 'lag' ? mischief.ms : 0);
  }

  #note(request: IncomingMessage, body: Buffer): PassedRequest {
    const path = request.url ?? '/';
    const asked = readApiPath(request.method ?? 'GET', path);
    const name = asked.name ?? (asked.verb === 'create' ? nameIn(body) : undefined);
    const passed: PassedRequest = { ...asked, name, path, number: this.requests.length + 1, status: undefined };
    this.requests.push(passed);
    return passed;
  }

  async #forward(request: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const agent = request.headers.authorization === undefined ? this.#asAdmin : this.#asSomebody;
    return new Promise((resolve, reject) => {
      const { method, headers } = request;
      const forwarded = https.request(this.#upstream.url + request.url, { agent, method, headers }, resolve);
      forwarded.on('error', reject);
      const giveUp = (): void => void forwarded.destroy();
      request.socket.once('close', giveUp);
      forwarded.once('close', () => request.socket.off('close', giveUp));
      forwarded.end(body);
    });
  }

  async #answer(passed: PassedRequest, answer: IncomingMessage, response: ServerResponse, lag: number): Promise<void> {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.flushHeaders();
    if (passed.verb === 'watch') this.#watches.set(response, passed);
    response.once('close', () => this.#watches.delete(response));
    let last = Promise.resolve();
    for await (const chunk of answer) {
      const due = Promise.all([last, sleep(lag, undefined, { ref: false })]);
      last = due.then(() => void (this.#muted.has(response) || response.write(chunk)));
      if (lag === 0) await last;
    }
    await last;
    if (!this.#muted.has(response)) response.end();
  }

  #mischiefFor(request: PassedRequest): Mischief | undefined {
    for (const entry of this.#rules) {
      if (entry.left <= 0 || !matches(entry.rule, request)) continue;
      const { mischief } = entry.rule;
      const decided = typeof mischief === 'function' ? mischief(request) : mischief;
      if (decided === undefined) continue;
      entry.left -= 1;
      return decided;
    }
    return undefined;
  }
}

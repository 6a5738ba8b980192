// Where reflectors are tried: a real API server, a proxy before it, and somebody else who writes past the proxy.
import { startApiServer } from '../../support/api-server.ts';
import type { ApiServer } from '../../support/api-server.ts';
import { startChaosProxy } from '../../support/chaos-proxy.ts';
import type { ChaosProxy } from '../../support/chaos-proxy.ts';
import { connect } from './connect.ts';
import type { Connected } from './connect.ts';
import { eventually } from './eventually.ts';
import { reflect } from './reflected.ts';
import type { Reflected, ReflectedOptions } from './reflected.ts';

const configMaps = '/api/v1/namespaces/x/configmaps';

export class ReflectorBench {
  readonly server: ApiServer;
  #proxy: ChaosProxy | undefined;
  #connected: Connected | undefined;
  #running: Reflected[] = [];

  private constructor(server: ApiServer) {
    this.server = server;
  }

  static async open(): Promise<ReflectorBench> {
    const server = await startApiServer();
    await server.createNamespace('x');
    return new ReflectorBench(server);
  }

  get proxy(): ChaosProxy {
    if (this.#proxy === undefined) throw new Error('begin() comes first');
    return this.#proxy;
  }

  get connected(): Connected {
    if (this.#connected === undefined) throw new Error('begin() comes first');
    return this.#connected;
  }

  /** Before each test: a fresh proxy, and one ConfigMap `one` with the value `first`. */
  async begin(): Promise<void> {
    this.#proxy = await startChaosProxy(this.server);
    this.#connected = connect(await this.server.writeKubeconfig({ url: this.#proxy.url }));
    await this.put('one', 'first');
  }

  /** After each test. */
  async end(): Promise<void> {
    await Promise.all(this.#running.map(async (it) => it.stop()));
    this.#running = [];
    await this.#connected?.transport.close();
    await this.#proxy?.stop();
    await this.server.ask('DELETE', configMaps);
  }

  /** Somebody else's write, past the proxy. */
  async put(name: string, value: string | null): Promise<void> {
    const metadata = { name, labels: { value } };
    const changed = this.server.ask('PATCH', `${configMaps}/${name}`, { metadata });
    await changed.catch(async () => this.server.ask('POST', configMaps, { metadata }));
  }

  async remove(name: string): Promise<void> {
    await this.server.ask('DELETE', `${configMaps}/${name}`);
  }

  start(options: ReflectedOptions = {}): Reflected {
    const reflected = reflect(this.connected.transport, options);
    this.#running.push(reflected);
    return reflected;
  }

  async startSynced(options: ReflectedOptions = {}): Promise<Reflected> {
    const reflected = this.start(options);
    await reflected.reflector.untilSynced();
    return reflected;
  }
}

/** Waits until readers see exactly these. */
export async function shows(reflected: Reflected, values: Readonly<Record<string, string>>): Promise<void> {
  await eventually(JSON.stringify(values), () => {
    const now = reflected.values();
    return (
      Object.keys(now).length === Object.keys(values).length &&
      Object.keys(values).every((it) => now[it] === values[it])
    );
  });
}

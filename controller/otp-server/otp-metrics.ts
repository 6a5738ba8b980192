// Counts what the key server does and refuses. Labels are closed lists: nothing a client sends becomes one.
import { Counter, Gauge, Registry } from '@prometheus-io/client';
import { registerProcessMetrics } from '../telemetry/process-metrics.ts';
import type { Dropped } from './https-front.ts';
import type { Refusal } from './stored-key.ts';

const prefix = 'multi_platform_otp_server_';

export class OtpMetrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<'path' | 'code'>;
  readonly #refused: Counter<'reason'>;
  readonly #dropped: Counter<'reason'>;
  readonly #api: Counter<'verb' | 'resource' | 'code'>;
  readonly #stored: Gauge;

  constructor() {
    const counter = <Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> =>
      new Counter({ name: prefix + name, help, labelNames, registers: [this.#registry] });
    this.#requests = counter('requests_total', 'Requests answered', ['path', 'code']);
    this.#refused = counter('tokens_refused_total', 'Tokens that got no key', ['reason']);
    this.#dropped = counter('dropped_total', 'Connections and requests turned away unread', ['reason']);
    this.#api = counter('api_requests_total', 'Requests to the API server', ['verb', 'resource', 'code']);
    const registers = [this.#registry];
    this.#stored = new Gauge({ name: `${prefix}stored_keys`, help: 'Keys stored, at the last sweep', registers });
    registerProcessMetrics(this.#registry);
  }

  countRequest(path: '/otp' | '/store-key' | 'other', code: number): void {
    this.#requests.inc({ path, code });
  }

  countRefusal(reason: Refusal | 'malformed'): void {
    this.#refused.inc({ reason });
  }

  countDropped(reason: Dropped): void {
    this.#dropped.inc({ reason });
  }

  countApiRequest(verb: string, resource: string, code: string): void {
    this.#api.inc({ verb, resource, code });
  }

  setStored(keys: number): void {
    this.#stored.set(keys);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  render(): Promise<string> {
    return this.#registry.metrics();
  }
}

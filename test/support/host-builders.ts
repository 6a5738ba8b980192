// Hosts, requests for them, and the host-config that names them, for tests.
import type { HostRequest } from '../../controller/model/host-request.ts';
import type { Host } from '../../controller/model/host.ts';
import type { Instant } from '../../controller/model/instant.ts';
import { parsePlatform, type Platform } from '../../controller/model/platform.ts';

export const start: Instant = Date.parse('2026-01-01T00:00:00Z');

export function platform(text: string): Platform {
  const parsed = parsePlatform(text);
  if (parsed === undefined) throw new Error(`not a platform: ${text}`);
  return parsed;
}

export class HostBuilder {
  #host: Host;

  constructor(name: string) {
    const account = { user: 'builder', secret: 'ssh-key' };
    this.#host = { name, address: '10.0.0.1', ...account, platform: platform('linux/arm64'), concurrency: 1 };
  }

  forPlatform(text: string): this {
    this.#host = { ...this.#host, platform: platform(text) };
    return this;
  }

  at(address: string): this {
    this.#host = { ...this.#host, address };
    return this;
  }

  withSlots(concurrency: number): this {
    this.#host = { ...this.#host, concurrency };
    return this;
  }

  build(): Host {
    return this.#host;
  }
}

export function aHost(name = 'host-1'): HostBuilder {
  return new HostBuilder(name);
}

export function aRequest(changes: Partial<HostRequest> = {}): HostRequest {
  const name = changes.name ?? 'build';
  const identity = { uid: `uid-${changes.namespace ?? 'team-a'}-${name}`, namespace: 'team-a', name };
  return { ...identity, platform: platform('linux/arm64'), since: start, priority: 0, failedHosts: [], ...changes };
}

/** The data of a host-config with static hosts: name → slots. */
export function hostConfigData(
  hosts: Readonly<Record<string, number>>,
  more: Readonly<Record<string, string>> = {},
  platformName = 'linux/arm64',
): Record<string, string> {
  const entries = Object.entries(hosts).flatMap(([name, slots], index): [string, string][] => [
    [`host.${name}.address`, `10.0.0.${index + 1}`],
    [`host.${name}.user`, 'builder'],
    [`host.${name}.platform`, platformName],
    [`host.${name}.secret`, 'ssh-key'],
    [`host.${name}.concurrency`, String(slots)],
  ]);
  return { ...Object.fromEntries(entries), ...more };
}

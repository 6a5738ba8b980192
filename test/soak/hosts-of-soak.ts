// host-config of the soak, edited while builds run: slots come and go, hosts are cordoned, taken out and put back, and
// values are broken.
import { oneOf, type Random } from '../support/random.ts';
import type { Scenario } from '../support/scenario.ts';

export interface HostsOfSoak {
  readonly platforms: readonly string[];
  readonly edits: number;
  /** To be called about once a second: perhaps an edit. */
  act(): Promise<void>;
  /** All hosts, all slots. */
  open(): Promise<void>;
}

const platforms = ['linux/arm64', 'linux/s390x', 'linux-large/amd64'];
const hostsOfPlatform = 4;
const slots = 3;
const editEvery = 20;

export async function hostsOfSoak(scenario: Scenario, random: Random): Promise<HostsOfSoak> {
  await scenario.sshSecret('key');
  const whole = config();
  const hosts = Object.keys(whole).flatMap((key) => /^host\.(.+)\.address$/.exec(key)?.[1] ?? []);
  await scenario.hostConfig(whole);
  let edits = 0;
  const edit = async (): Promise<void> => {
    edits += 1;
    const host = oneOf(random, hosts);
    const key = `host.${host}.concurrency`;
    switch (oneOf(random, ['whole', 'fewer', 'broken', 'cordoned', 'gone'])) {
      case 'fewer':
        return scenario.hostConfig({ ...whole, [key]: '1' });
      case 'broken':
        return scenario.hostConfig({ ...whole, [key]: 'many' });
      case 'cordoned':
        return scenario.hostConfig({ ...whole, 'cordoned-hosts': host });
      case 'gone':
        return scenario.hostConfig(
          Object.fromEntries(Object.entries(whole).filter(([name]) => !name.startsWith(`host.${host}.`))),
        );
      default:
        return scenario.hostConfig(whole);
    }
  };
  return {
    platforms,
    get edits() {
      return edits;
    },
    act: async () => {
      if (random() < 1 / editEvery) await edit();
    },
    open: () => scenario.hostConfig(whole),
  };
}

function config(): Record<string, string> {
  // Nobody plays updates here.
  const all: Record<string, string> = { 'update-interval': 'never' };
  for (const [nth, platform] of platforms.entries()) {
    for (let index = 0; index < hostsOfPlatform; index += 1) {
      const address = `10.1.${nth}.${index + 1}`;
      const fields = { address, user: 'builder', platform, secret: 'key', concurrency: String(slots) };
      for (const [field, value] of Object.entries(fields)) all[`host.p${nth}h${index}.${field}`] = value;
    }
  }
  return all;
}

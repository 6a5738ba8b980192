// One static host of host-config: its keys checked by a JSON Schema, all errors at once.
import { isIP } from 'node:net';
import type { Host } from '../model/host.ts';
import { parsePlatform, platformFormatMessage } from '../model/platform.ts';
import { EntrySchema, type Entry } from './entry-schema.ts';
import type { ConfigProblem } from './host-config.ts';

const dnsLabel = '[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?';
const dnsName = new RegExp(`^${dnsLabel}(\\.${dnsLabel})*\\.?$`);

/** `description` is the remedy a person reads. */
const fields = {
  type: 'object',
  required: ['address', 'platform', 'secret', 'concurrency'],
  properties: {
    address: { type: 'string', format: 'address', description: 'give an IP address or a DNS name' },
    user: {
      type: 'string',
      pattern: '^[a-zA-Z_][-a-zA-Z0-9_.]{0,31}$',
      description: 'give the account to log in with',
    },
    platform: { type: 'string', format: 'platform', description: platformFormatMessage },
    secret: {
      type: 'string',
      pattern: '^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$',
      description: 'give the name of the Secret with the ssh key (id_rsa) of this host',
    },
    concurrency: { type: 'string', pattern: '^0*[1-9][0-9]{0,3}$', description: 'give a number of builds, 1 or more' },
  },
} as const;

/** No DNS name ends in a number: what looks like an IP address has to be one. */
function isAddress(value: string): boolean {
  return (
    (isIP(value) !== 0 && !value.includes('%')) ||
    (value.length <= 253 && dnsName.test(value) && !/(^|\.)[0-9]+\.?$/.test(value))
  );
}

// A dashed platform becomes a label value: 63 characters at most.
const formats = {
  address: isAddress,
  platform: (value: string) => value.length <= 63 && parsePlatform(value) !== undefined,
};
const schema = new EntrySchema(fields, { isOurs: true, formats });

/** A host entry as read: the host when nothing is wrong with it, and all there is to say about its keys. */
export interface ParsedHost {
  readonly host: Host | undefined;
  readonly problems: readonly ConfigProblem[];
}

export function parseHostEntry(name: string, entry: Entry): ParsedHost {
  const unknown = Object.keys(entry).filter((field) => !schema.hasField(field));
  const warnings = unknown.map((field) => unknownKey(`host.${name}.${field}`));
  if (entry['user'] === undefined) warnings.push(missingUser(name));
  const platform = parsePlatform(entry['platform'] ?? '');
  const errors = schema.problemsOf(`host.${name}`, entry);
  if (errors.length > 0 || platform === undefined) return { host: undefined, problems: [...errors, ...warnings] };
  const text = (field: string): string => entry[field] ?? '';
  const host = { name, platform, address: text('address'), user: text('user'), secret: text('secret') };
  return { host: { ...host, concurrency: Number(text('concurrency')) }, problems: warnings };
}

/** Was always accepted; a provision TaskRun that cannot log in will say so. */
function missingUser(name: string): ConfigProblem {
  return { key: `host.${name}.user`, message: 'is missing: give the account to log in with', severity: 'warning' };
}

/** A key nobody reads: told, and otherwise ignored. */
export function unknownKey(key: string): ConfigProblem {
  return { key, message: 'is not a key of host-config and is ignored', severity: 'warning' };
}

// One launched platform of host-config, keys `dynamic.<platform>.<key>`: the controller's own keys, and its provider.
import type { Platform } from '../model/platform.ts';
import { dashedPlatform } from '../model/platform.ts';
import { minute, second } from '../model/instant.ts';
import type { LaunchedPool } from '../model/pool.ts';
import type { ProviderTasks } from '../model/provider.ts';
import { parseDuration, quoted } from './config-values.ts';
import { EntrySchema, type Entry } from './entry-schema.ts';
import { findProvider } from './find-provider.ts';
import type { ConfigProblem } from './host-config.ts';
import { parseProviderSettings } from './provider-settings.ts';

const duration = {
  type: 'string',
  format: 'duration',
  description: 'give seconds, or a number with s, m or h, as 10m',
};
const text = { type: 'string' } as const;

const fields = {
  type: text,
  'max-instances': { type: 'string', pattern: '^[1-9][0-9]{0,5}$', description: 'give a number of hosts, 1 or more' },
  'ssh-secret': {
    type: 'string',
    pattern: '^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$',
    description: 'give the name of the Secret with the ssh key (id_rsa) of these hosts',
  },
  'instance-tag': text,
  'allocation-timeout': duration,
  'check-interval': duration,
} as const;
const fieldsOfPools = {
  concurrency: { type: 'string', pattern: '^[1-8]$', description: 'give a number of builds at once, 1 to 8' },
  'max-age': {
    type: 'string',
    pattern: '^([1-9][0-9]{0,2}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)$',
    description: 'give a number of minutes, 1 to 1440',
  },
} as const;
const sudoCommands = { 'sudo-commands': text };

const options = { isOurs: true, formats: { duration: (value: string) => readDuration(value) !== undefined } };
const required = ['max-instances'];
const schemas: Readonly<Record<LaunchedPool['kind'], EntrySchema>> = {
  dynamic: new EntrySchema({ type: 'object', required, properties: { ...fields, ...sudoCommands } }, options),
  'dynamic-pool': new EntrySchema(
    {
      type: 'object',
      required: [...required, ...Object.keys(fieldsOfPools)],
      properties: { ...fields, ...fieldsOfPools },
    },
    options,
  ),
};

export interface LaunchedSources {
  /** Of the controller's namespace; undefined: not read so far. */
  readonly tasks: ProviderTasks | undefined;
  readonly instanceTag: string;
  readonly additionalTags: string;
}

/** The pool when nothing is wrong with it, and all there is to say about its keys. */
export interface ParsedLaunched {
  readonly pool: LaunchedPool | undefined;
  readonly problems: readonly ConfigProblem[];
}

/** `entry`: fields that are not empty, trimmed. */
export function parseLaunchedEntry(
  { kind, platform, limits }: Pick<LaunchedPool, 'kind' | 'platform' | 'limits'>,
  entry: Entry,
  sources: LaunchedSources,
): ParsedLaunched {
  const prefix = launchedPrefix(platform);
  const schema = schemas[kind];
  const own = only(entry, (key) => schema.hasField(key));
  const elsewhere = Object.keys(entry).filter((key) => !schema.hasField(key) && isOwnOfAnother(key));
  const problems = [...schema.problemsOf(prefix, own), ...elsewhere.map((key) => ofAnotherKind(prefix, key))];
  const provider = findProvider(own['type'], sources.tasks);
  if (typeof provider === 'string') {
    return {
      pool: undefined,
      problems: [...problems, { key: `${prefix}.type`, message: provider, severity: 'error' }],
    };
  }
  if (kind === 'dynamic-pool' && provider.launch.preparesItself) problems.push(servesOneBuild(prefix, provider.type));
  const sshSecret = own['ssh-secret'];
  if (sshSecret === undefined && !provider.launch.preparesItself) problems.push(missingSshSecret(prefix, schema));
  const foreign = only(entry, (key) => !schema.hasField(key) && !isOwnOfAnother(key));
  const interval = readDuration(own['check-interval']);
  const passedOn: Entry = interval === undefined ? {} : { 'check-interval': String(interval / second) };
  const provided = parseProviderSettings({ prefix, provider, foreign, passedOn, sshSecret });
  const isTold = (key: string): boolean => problems.some((it) => it.key === key && key !== `${prefix}.type`);
  problems.push(...provided.problems.filter(({ key }) => !isTold(key)));
  if (problems.some(({ severity }) => severity === 'error')) return { pool: undefined, problems };
  const { settings, credentials } = provided;
  const { additionalTags } = sources;
  const instanceTag = own['instance-tag'] ?? sources.instanceTag;
  const numbers = numbersOf(kind, own);
  const sudo = own['sudo-commands'] ?? '';
  const names = { sshSecret: sshSecret ?? '', credentials, sudoCommands: sudo, instanceTag, additionalTags };
  return { pool: { kind, platform, limits, provider, ...numbers, ...names, settings }, problems };
}

export function launchedPrefix(platform: Platform): string {
  return `dynamic.${dashedPlatform(platform)}`;
}

function numbersOf(kind: LaunchedPool['kind'], own: Entry) {
  return {
    maxInstances: Number(own['max-instances']),
    concurrency: kind === 'dynamic' ? 1 : Number(own['concurrency']),
    maxAge: kind === 'dynamic' ? undefined : Number(own['max-age']) * minute,
    allocationTimeout: readDuration(own['allocation-timeout']) ?? 10 * minute,
  };
}

function only(entry: Entry, isWanted: (key: string) => boolean): Entry {
  return Object.fromEntries(Object.entries(entry).filter(([key]) => isWanted(key)));
}

function readDuration(value: string | undefined): number | undefined {
  return parseDuration('', value, []);
}

function isOwnOfAnother(key: string): boolean {
  return Object.values(schemas).some((schema) => schema.hasField(key));
}

/** Sudo on a host of several builds would reach all of them. */
function ofAnotherKind(prefix: string, key: string): ConfigProblem {
  const list = schemas.dynamic.hasField(key) ? 'dynamic-platforms' : 'dynamic-pool-platforms';
  return { key: `${prefix}.${key}`, message: `is a key of ${list} only and is ignored`, severity: 'warning' };
}

function missingSshSecret(prefix: string, schema: EntrySchema): ConfigProblem {
  const message = `is missing: ${schema.remedyOf('ssh-secret')}`;
  return { key: `${prefix}.ssh-secret`, message, severity: 'error' };
}

function servesOneBuild(prefix: string, type: string): ConfigProblem {
  const message = `${quoted(type)}: its hosts serve one build each: list the platform in dynamic-platforms instead`;
  return { key: `${prefix}.type`, message, severity: 'error' };
}

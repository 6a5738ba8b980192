// The keys of a launched platform that are its provider's: which of them its Tasks take, which are missing, and whether
// their values are what the launch Task's own schema asks for.
import {
  credentialsWorkspace,
  keyOfParam,
  offeredParams,
  paramOfKey,
  providerVerbs,
  sshWorkspace,
  type Provider,
  type ProviderParam,
  type ProviderTask,
  type ProviderVerb,
} from '../model/provider.ts';
import { quoted } from './config-values.ts';
import { EntrySchema, type Entry } from './entry-schema.ts';
import type { ConfigProblem } from './host-config.ts';

const secretName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const allOffered: ReadonlySet<string> = new Set(Object.values(offeredParams).flat());

export interface ProviderEntry {
  /** `dynamic.<platform>`. */
  readonly prefix: string;
  readonly provider: Provider;
  /** Keys that are not the controller's own; those that are but reach the Tasks as params. */
  readonly foreign: Entry;
  readonly passedOn: Entry;
  readonly sshSecret: string | undefined;
}

export interface ProviderSettings {
  readonly settings: Readonly<Record<string, string>>;
  readonly credentials: string;
  readonly problems: readonly ConfigProblem[];
}

export function parseProviderSettings(entry: ProviderEntry): ProviderSettings {
  const { prefix, provider, foreign, passedOn } = entry;
  const { credentialsKey } = provider.launch;
  const taken = Object.entries(foreign).filter(([key]) => key === credentialsKey || isTaken(key, provider));
  const settings = Object.fromEntries([...taken, ...Object.entries(passedOn)]);
  const credentials = credentialsKey === undefined ? '' : (settings[credentialsKey] ?? '');
  const schema = schemaOf(provider.launch);
  const problems =
    typeof schema === 'string'
      ? [error(`${prefix}.type`, `${quoted(provider.type)}: ${schema}`)]
      : [...(schema?.problemsOf(prefix, foreign) ?? []), ...credentialsProblems(prefix, credentialsKey, credentials)];
  const remedyOf = (key: string): string | undefined =>
    typeof schema === 'string' ? undefined : schema?.remedyOf(key);
  for (const verb of providerVerbs) {
    const task = provider[verb];
    if (task === undefined) continue;
    problems.push(...missingParams(entry, verb, task, settings, remedyOf));
    problems.push(...missingWorkspaces(entry, task, credentials));
  }
  const ignored = Object.keys(foreign).filter((key) => !Object.hasOwn(settings, key));
  const warnings = ignored.map((key) => ignoredKey(prefix, key, provider.type));
  return { settings, credentials, problems: firstOfEachKey([...problems, ...warnings]) };
}

function tasksOf({ launch, terminate, list }: Provider): readonly ProviderTask[] {
  return list === undefined ? [launch, terminate] : [launch, terminate, list];
}

function isTaken(key: string, provider: Provider): boolean {
  const param = paramOfKey(key);
  if (allOffered.has(param) || keyOfParam(param) !== key) return false;
  return tasksOf(provider).some(({ params }) => params.some(({ name, isText }) => isText && name === param));
}

/** The schema of the launch Task, none, or what is wrong with it. */
function schemaOf({ name, configSchema }: ProviderTask): EntrySchema | string | undefined {
  if (configSchema === undefined) return undefined;
  try {
    const schema: unknown = JSON.parse(configSchema);
    if (typeof schema === 'object' && schema !== null && !Array.isArray(schema)) return new EntrySchema(schema);
    return brokenSchema(name, 'it is no JSON object');
  } catch (thrown) {
    // Both JSON.parse and the compiler tell by throwing that the text is not what it must be.
    return brokenSchema(name, thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function brokenSchema(task: string, why: string): string {
  return `annotation config-schema of Task ${task} is not a JSON Schema (${quoted(why).slice(1, -1)}): correct the Task`;
}

function credentialsProblems(prefix: string, key: string | undefined, secret: string): ConfigProblem[] {
  if (key === undefined || secret === '' || secretName.test(secret)) return [];
  return [
    error(`${prefix}.${key}`, `${quoted(secret)} is not valid: give the name of the Secret with the credentials`),
  ];
}

function missingParams(
  { prefix, provider }: ProviderEntry,
  verb: ProviderVerb,
  task: ProviderTask,
  settings: Readonly<Record<string, string>>,
  remedyOf: (key: string) => string | undefined,
): ConfigProblem[] {
  const isGiven = ({ name, isText }: ProviderParam): boolean =>
    isText && (offeredParams[verb].includes(name) || Object.hasOwn(settings, keyOfParam(name)));
  const missing = task.params.filter((param) => !param.hasDefault && !isGiven(param));
  return missing.map(({ name, isText }) => {
    const key = keyOfParam(name);
    const wanted = `param ${name} of Task ${task.name} has no default`;
    if (isText && !allOffered.has(name) && paramOfKey(key) === name)
      return error(`${prefix}.${key}`, `is missing: ${remedyOf(key) ?? wanted}`);
    const why = isText ? 'the controller does not give it to this Task' : 'it is no string';
    return error(`${prefix}.type`, `${quoted(provider.type)}: ${wanted}, and ${why}: correct the Task`);
  });
}

function missingWorkspaces(
  { prefix, provider, sshSecret }: ProviderEntry,
  task: ProviderTask,
  credentials: string,
): ConfigProblem[] {
  const { credentialsKey } = provider.launch;
  return task.workspaces
    .filter(({ optional }) => !optional)
    .flatMap(({ name }) => {
      if (name === sshWorkspace)
        return sshSecret === undefined
          ? [error(`${prefix}.ssh-secret`, `is missing: Task ${task.name} needs workspace ${name}`)]
          : [];
      if (name === credentialsWorkspace && credentialsKey !== undefined)
        return credentials === ''
          ? [error(`${prefix}.${credentialsKey}`, `is missing: give the name of the Secret with the credentials`)]
          : [];
      const why = `Task ${task.name} needs workspace ${name}, and nothing can be bound to it`;
      return [error(`${prefix}.type`, `${quoted(provider.type)}: ${why}: correct the Task`)];
    });
}

function ignoredKey(prefix: string, key: string, type: string): ConfigProblem {
  const message = allOffered.has(paramOfKey(key))
    ? 'is set by the controller and is ignored'
    : `is no key of type ${quoted(type)} and is ignored`;
  return { key: `${prefix}.${key}`, message, severity: 'warning' };
}

/** What the schema says of a key is better than what the Task's params do. */
function firstOfEachKey(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const ofKey = (key: string): number => problems.findIndex((it) => it.key === key);
  return problems.filter((problem, index) => problem.key.endsWith('.type') || ofKey(problem.key) === index);
}

function error(key: string, message: string): ConfigProblem {
  return { key, message, severity: 'error' };
}

// A provider: the Tekton Tasks that launch, terminate and list hosts of one type. Names and shapes only; who calls them,
// with what, is decided elsewhere.

/** A Task `launch-<type>`, `terminate-<type>` or `list-<type>` of the operator namespace: what it takes. */
export interface ProviderTask {
  readonly name: string;
  readonly params: readonly ProviderParam[];
  readonly workspaces: readonly ProviderWorkspace[];
  /** Annotation `…/config-schema` as it stands: a JSON Schema of the config keys this type knows. */
  readonly configSchema: string | undefined;
  /** Annotation `…/credentials-key`: the config key that names the Secret bound to workspace `credentials`. */
  readonly credentialsKey: string | undefined;
  /** Annotation `…/prepares-itself`: launch makes the build's Secret too, no provision TaskRun follows. */
  readonly preparesItself: boolean;
}

export interface ProviderParam {
  readonly name: string;
  readonly hasDefault: boolean;
  /** Of type string; nothing else can be given. */
  readonly isText: boolean;
}

export interface ProviderWorkspace {
  readonly name: string;
  readonly optional: boolean;
}

/** By name: all that the operator namespace has. */
export type ProviderTasks = ReadonlyMap<string, ProviderTask>;

/** Usable as a whole: without a terminate Task nothing is ever launched. */
export interface Provider {
  /** `pod`, or what somebody else's Tasks are named after. */
  readonly type: string;
  readonly launch: ProviderTask;
  readonly terminate: ProviderTask;
  readonly list: ProviderTask | undefined;
}

export const providerVerbs = ['launch', 'terminate', 'list'] as const;
export type ProviderVerb = (typeof providerVerbs)[number];

const ofEveryTask = ['PLATFORM', 'INSTANCE_TAG', 'ADDITIONAL_INSTANCE_TAGS', 'ALLOCATION_TIMEOUT', 'SSH_SECRET'];
const ofOneHost = ['LAUNCH_TOKEN', 'TASKRUN_NAME', 'NAMESPACE', 'TASKRUN_UID', 'SECRET_NAME', 'ATTEMPT'];

/** Params the controller gives to a Task that declares them; no config key sets one of these. */
export const offeredParams: Readonly<Record<ProviderVerb, readonly string[]>> = {
  launch: [...ofEveryTask, ...ofOneHost],
  terminate: [...ofEveryTask, ...ofOneHost, 'INSTANCE_ID'],
  list: ofEveryTask,
};

/** Workspace that gets the platform's ssh Secret. */
export const sshWorkspace = 'ssh';
/** Workspace that gets the Secret named by the credentials key. */
export const credentialsWorkspace = 'credentials';

export function providerTaskName(verb: ProviderVerb, type: string): string {
  return `${verb}-${type}`;
}

/** The param a config key goes to: `instance-type` → `INSTANCE_TYPE`. */
export function paramOfKey(key: string): string {
  return key.toUpperCase().replaceAll('-', '_');
}

/** The other way round. */
export function keyOfParam(param: string): string {
  return param.toLowerCase().replaceAll('_', '-');
}

/** `launch-pod` → launch, pod; undefined for a Task of no provider. */
export function readProviderTaskName(name: string): { readonly verb: ProviderVerb; readonly type: string } | undefined {
  const verb = providerVerbs.find((it) => name.startsWith(`${it}-`));
  const type = verb === undefined ? '' : name.slice(verb.length + 1);
  return verb === undefined || type === '' ? undefined : { verb, type };
}

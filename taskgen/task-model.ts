// The parts of a Task that the generator looks at, read once from parsed YAML into types that cannot be wrong.
// It reads leniently and keeps what it does not know as it is; whether a Task is acceptable is decided elsewhere.

export type Fields = Readonly<Record<string, unknown>>;

export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string | undefined;
  /** `secretKeyRef`, `fieldRef`, … when the value comes from elsewhere. */
  readonly from: string | undefined;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
  readonly subPath: string | undefined;
}

export interface Volume {
  readonly name: string;
  /** `emptyDir`, `secret`, …: the one key beside the name. */
  readonly kind: string;
  readonly source: Fields;
}

export interface Workspace {
  readonly name: string;
  readonly readOnly: boolean;
  readonly optional: boolean;
  /** Where steps find it that do not claim it for themselves. */
  readonly mountPath: string;
}

interface ClaimedWorkspace {
  readonly name: string;
  /** Where the step wants it, when not where the Task says. */
  readonly mountPath: string | undefined;
}

export interface Parameter {
  readonly name: string;
  readonly type: string;
  /** The only values, where the Task lists them. */
  readonly values: readonly string[];
  /** Of an object, as far as they are declared. */
  readonly keys: readonly string[];
  readonly default: unknown;
}

/** A step with what stepTemplate gives it. `own` is the step as written. */
export interface Step {
  readonly name: string | undefined;
  readonly image: string | undefined;
  readonly script: string | undefined;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly isReference: boolean;
  readonly workingDir: string;
  readonly env: readonly EnvironmentVariable[];
  readonly envFrom: readonly Fields[];
  readonly mounts: readonly VolumeMount[];
  readonly devices: readonly string[];
  readonly securityContext: Fields;
  /** Workspaces that this step claims for itself. */
  readonly workspaces: readonly ClaimedWorkspace[];
  readonly own: Fields;
}

export const generatedFrom = 'build.appstudio.redhat.com/generated-from';

export interface Task {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string | undefined;
  /** Of a generated Task: the name of its source. */
  readonly generatedFrom: string | undefined;
  readonly parameters: readonly Parameter[];
  readonly steps: readonly Step[];
  readonly sidecars: readonly Step[];
  readonly stepTemplate: Fields;
  readonly volumes: readonly Volume[];
  readonly workspaces: readonly Workspace[];
}

export function readTask(document: unknown): Task {
  const root = fields(document);
  const spec = fields(root['spec']);
  const template = fields(spec['stepTemplate']);
  return {
    apiVersion: text(root['apiVersion']) ?? '',
    kind: text(root['kind']) ?? '',
    name: text(fields(root['metadata'])['name']),
    generatedFrom: text(fields(fields(root['metadata'])['annotations'])[generatedFrom])?.split('@')[0],
    parameters: list(spec['params']).map(readParameter),
    steps: list(spec['steps']).map((step) => readStep(step, template)),
    sidecars: list(spec['sidecars']).map((sidecar) => readStep(sidecar, {})),
    stepTemplate: template,
    volumes: list(spec['volumes']).map(readVolume),
    workspaces: list(spec['workspaces']).map(readWorkspace),
  };
}

/** Strategic merge as Kubernetes does it: env by name, mounts by path, maps key by key, the rest by whole value. */
function readStep(own: Fields, template: Fields): Step {
  const merged = { ...template, ...own };
  return {
    name: text(own['name']),
    image: text(merged['image']),
    script: text(own['script']),
    command: list(own['command'], String),
    args: list(merged['args'], String),
    isReference: own['ref'] !== undefined,
    workingDir: text(merged['workingDir']) ?? '',
    env: mergeBy('name', template['env'], own['env']).map(readVariable),
    envFrom: list(merged['envFrom']),
    mounts: mergeBy('mountPath', template['volumeMounts'], own['volumeMounts']).map(readMount),
    devices: mergeBy('devicePath', template['volumeDevices'], own['volumeDevices']).map((it) => text(it['name']) ?? ''),
    securityContext: mergeFields(fields(template['securityContext']), fields(own['securityContext'])),
    workspaces: list(own['workspaces']).map((it) => ({
      name: text(it['name']) ?? '',
      mountPath: text(it['mountPath']),
    })),
    own,
  };
}

function mergeFields(template: Fields, own: Fields): Fields {
  const merged: Record<string, unknown> = { ...template };
  for (const [key, value] of Object.entries(own)) {
    merged[key] = isFields(value) ? mergeFields(fields(template[key]), value) : value;
  }
  return merged;
}

function mergeBy(key: string, template: unknown, own: unknown): Fields[] {
  const ours = list(own);
  const overridden = new Set(ours.map((item) => item[key]));
  // Of two entries for one thing in the template the last one counts.
  const theirs = new Map(list(template).map((item) => [item[key], item]));
  return [...[...theirs.values()].filter((item) => !overridden.has(item[key])), ...ours];
}

function readVariable(item: Fields): EnvironmentVariable {
  const from = Object.keys(fields(item['valueFrom']))[0];
  return { name: text(item['name']) ?? '', value: text(item['value']), from };
}

function readMount(item: Fields): VolumeMount {
  return {
    name: text(item['name']) ?? '',
    mountPath: text(item['mountPath']) ?? '',
    readOnly: item['readOnly'] === true,
    subPath: text(item['subPath']) ?? text(item['subPathExpr']),
  };
}

function readVolume(item: Fields): Volume {
  const kind = Object.keys(item).find((key) => key !== 'name') ?? 'emptyDir';
  return { name: text(item['name']) ?? '', kind, source: fields(item[kind]) };
}

function readWorkspace(item: Fields): Workspace {
  const name = text(item['name']) ?? '';
  const mountPath = text(item['mountPath']) ?? `/workspace/${name}`;
  return { name, readOnly: item['readOnly'] === true, optional: item['optional'] === true, mountPath };
}

/** Where no type is said, Tekton takes it from the rest. */
export function readParameter(item: Fields): Parameter {
  const given = item['default'];
  const implied = Array.isArray(given) ? 'array' : isFields(given) ? 'object' : 'string';
  const type = text(item['type']) ?? (item['properties'] === undefined ? implied : 'object');
  const keys = Object.keys({ ...fields(item['properties']), ...fields(given) });
  const values = list(item['enum'], String);
  return { name: text(item['name']) ?? '', type, values, keys, default: given };
}

/** What a StepAction mounts is not in the file, but a parameter has to tell it the name. */
export function mountsVolume(step: Step, volume: string): boolean {
  const isTold = step.isReference && list(step.own['params']).some(({ value }) => value === volume);
  return isTold || step.mounts.some(({ name }) => name === volume);
}

/** A mapping, or an empty one in place of anything else. */
export function fields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list of mappings; entries of another shape are left to the API server to refuse. */
export function list(value: unknown): Fields[];
export function list<T>(value: unknown, read: (item: unknown) => T): T[];
export function list(value: unknown, read: (item: unknown) => unknown = fields): unknown[] {
  return Array.isArray(value) ? value.map(read) : [];
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
}

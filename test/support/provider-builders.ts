// Tasks of providers, as the API holds them and as the controller reads them, and host-config of platforms they serve.
import { annotations } from '../../controller/model/labels.ts';
import type { ProviderTask, ProviderTasks } from '../../controller/model/provider.ts';
import { readProviderTask } from '../../controller/taskruns/read-provider-task.ts';
import { operatorNamespace } from './builders.ts';

export class ProviderTaskBuilder {
  readonly #name: string;
  readonly #annotations: Record<string, string> = {};
  readonly #params: object[] = [];
  readonly #workspaces: object[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  /** Without a default: somebody must give it. */
  withParam(name: string): this {
    this.#params.push({ name });
    return this;
  }

  withDefault(name: string, value: unknown = ''): this {
    this.#params.push({ name, default: value });
    return this;
  }

  withWorkspace(name: string, optional = false): this {
    this.#workspaces.push({ name, optional });
    return this;
  }

  withSchema(schema: unknown): this {
    return this.annotated(annotations.configSchema, typeof schema === 'string' ? schema : JSON.stringify(schema));
  }

  withCredentials(key: string): this {
    return this.annotated(annotations.credentialsKey, key);
  }

  preparingItself(): this {
    return this.annotated(annotations.preparesItself, 'true');
  }

  annotated(name: string, value: string): this {
    this.#annotations[name] = value;
    return this;
  }

  /** As the API takes it. */
  manifest() {
    return {
      apiVersion: 'tekton.dev/v1',
      kind: 'Task',
      metadata: { name: this.#name, namespace: operatorNamespace, annotations: this.#annotations },
      spec: {
        params: this.#params,
        workspaces: this.#workspaces,
        steps: [{ name: 'work', image: 'tool', script: 'true' }],
      },
    };
  }

  build(): ProviderTask {
    const task = readProviderTask(this.manifest());
    if (task === undefined) throw new Error(`${this.#name} is no Task of a provider`);
    return task;
  }
}

export function aProviderTask(name: string): ProviderTaskBuilder {
  return new ProviderTaskBuilder(name);
}

/** launch, terminate and list of a type that takes an optional `colour` and nothing else. */
export function toyTasks(type = 'toy'): ProviderTaskBuilder[] {
  const token = (name: string): ProviderTaskBuilder => aProviderTask(name).withParam('LAUNCH_TOKEN');
  return [
    token(`launch-${type}`).withDefault('COLOUR', 'red'),
    token(`terminate-${type}`).withDefault('INSTANCE_ID'),
    aProviderTask(`list-${type}`).withParam('INSTANCE_TAG'),
  ];
}

export function providerTasks(...tasks: readonly ProviderTaskBuilder[]): ProviderTasks {
  return new Map(tasks.map((task) => task.build()).map((task) => [task.name, task]));
}

/** One platform of launched hosts; `more` without its prefix. */
export function launchedConfig(
  more: Readonly<Record<string, string>> = {},
  platform = 'linux/arm64',
  list = 'dynamic-platforms',
): Record<string, string> {
  const ofPool = list === 'dynamic-pool-platforms' ? { concurrency: '2', 'max-age': '60' } : {};
  const keys = { type: 'toy', 'max-instances': '3', 'ssh-secret': 'ssh-key', ...ofPool, ...more };
  const prefix = `dynamic.${platform.replaceAll('/', '-')}`;
  return {
    [list]: platform,
    ...Object.fromEntries(Object.entries(keys).map(([key, value]) => [`${prefix}.${key}`, value])),
  };
}

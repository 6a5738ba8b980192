// What a Task of a provider takes, from the Task as the API sent it. Its scripts may be large; none of that is kept.
import { asArray, asObject, asText, asTextMap, type Json } from '../model/json.ts';
import { annotations } from '../model/labels.ts';
import {
  readProviderTaskName,
  type ProviderParam,
  type ProviderTask,
  type ProviderWorkspace,
} from '../model/provider.ts';

/** Undefined for a Task of no provider: its name says so. */
export function readProviderTask(task: Json): ProviderTask | undefined {
  const metadata = asObject(task['metadata']);
  const name = asText(metadata['name']) ?? '';
  if (readProviderTaskName(name) === undefined) return undefined;
  const spec = asObject(task['spec']);
  const annotated = asTextMap(metadata['annotations']);
  return {
    name,
    params: asArray(spec['params']).map(readParam),
    workspaces: asArray(spec['workspaces']).map(readWorkspace),
    configSchema: annotated[annotations.configSchema],
    credentialsKey: annotated[annotations.credentialsKey]?.trim() || undefined,
    preparesItself: annotated[annotations.preparesItself] === 'true',
  };
}

/** A param without a type has that of its default, or is a string. */
function readParam(raw: unknown): ProviderParam {
  const param = asObject(raw);
  const byDefault = param['default'];
  const isText = (asText(param['type']) ?? (typeof byDefault === 'object' ? 'array' : 'string')) === 'string';
  return { name: asText(param['name']) ?? '', hasDefault: byDefault !== undefined, isText };
}

function readWorkspace(raw: unknown): ProviderWorkspace {
  const workspace = asObject(raw);
  return { name: asText(workspace['name']) ?? '', optional: workspace['optional'] === true };
}

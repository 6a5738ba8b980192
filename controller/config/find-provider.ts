// The provider behind a `type` of host-config: the Tasks of that name, or what is wrong with the type.
import {
  providerTaskName,
  readProviderTaskName,
  type Provider,
  type ProviderTasks,
  type ProviderVerb,
} from '../model/provider.ts';
import { quoted } from './config-values.ts';

/** `tasks` undefined: they could not be read so far. A text is the problem, as it goes behind the key. */
export function findProvider(type: string | undefined, tasks: ProviderTasks | undefined): Provider | string {
  if (tasks === undefined)
    return `${quoted(type ?? '')}: the Tasks beside the controller are not read yet: if this stays, apply its RBAC`;
  if (type === undefined) return `is missing: give a type of provider${typesAmong(tasks)}`;
  const taskOf = (verb: ProviderVerb) => tasks.get(providerTaskName(verb, type));
  const launch = taskOf('launch');
  const terminate = taskOf('terminate');
  if (launch === undefined)
    return `${quoted(type)}: there is no Task ${shown('launch', type)} in the controller's namespace${typesAmong(tasks)}`;
  if (terminate === undefined)
    return `${quoted(type)}: there is no Task ${shown('terminate', type)} beside ${launch.name}: apply both`;
  return { type, launch, terminate, list: taskOf('list') };
}

/** A type may be anything somebody typed. */
function shown(verb: ProviderVerb, type: string): string {
  return quoted(providerTaskName(verb, type)).slice(1, -1);
}

function typesAmong(tasks: ProviderTasks): string {
  const types = [...tasks.keys()].flatMap((name) => {
    const read = readProviderTaskName(name);
    return read?.verb === 'launch' ? [read.type] : [];
  });
  return types.length === 0 ? '; it has none of any type' : `; types there: ${types.toSorted().join(', ')}`;
}

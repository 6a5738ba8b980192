// How a Task writes the name of the image that it builds: one parameter, a part of one, or a text with several, as --image-param says it.
// It only reads and writes that notation; whether there is such an image is image-plan.ts.

import type { Parameter } from './task-model.ts';

/** After a dot Tekton expects the key of an object, so a name with a dot in it stands in quotes. `part`: `[*]`, `[0]`. */
export function parameterReference(name: string, part = ''): string {
  return name.includes('.') ? `$(params["${name}"]${part})` : `$(params.${name}${part})`;
}

/** `$(params.IMAGE)`, or the text as it was given. */
export function imageText(asked: string, parameters: readonly Pick<Parameter, 'name'>[] = []): string {
  if (asked.includes('$(')) return asked;
  const [, name = '', index = ''] = /^(.*?)(\[\d+\])?$/s.exec(asked) ?? [];
  return parameters.some((it) => it.name === name) ? parameterReference(name, index) : `$(params.${asked})`;
}

/** `IMAGE`, `image.url` of an object, `tags[0]` of an array. */
export function imageParameters(asked: string): string[] {
  const names = imageText(asked).matchAll(/\$\(params(?:\.([^)]+)|\[["']([^"']+)["']\](\[\d+\])?)\)/g);
  return [...names].flatMap(([, dotted, quoted, index = '']) => dotted ?? (quoted === undefined ? [] : quoted + index));
}

/** Where a text has the name; with `^` and `$`, one that is nothing else. */
export function imageReference(asked: string, before = '', after = ''): RegExp {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const [, name = '', index = ''] = /^(.*?)(\[\d+\])?$/s.exec(asked) ?? [];
  const pattern = asked.includes('$(')
    ? literal(asked)
    : `\\$\\(params(?:\\.${literal(name)}|\\[["']${literal(name)}["']\\])${literal(index)}\\)`;
  return new RegExp(`${before}${pattern}${after}`);
}

/** What is wrong with a part of the name, as a clause; an array or object as a whole is no text. */
export function partProblem(
  part: string,
  parameters: readonly Pick<Parameter, 'name' | 'type' | 'keys'>[],
): { readonly because: string; readonly better?: readonly string[] } | undefined {
  const find = (name: string) => parameters.find((parameter) => parameter.name === name);
  const [, array, index] = /^(.*)\[(\d+|\*)\]$/.exec(part) ?? [];
  const dot = part.lastIndexOf('.');
  const found = find(part);
  const list = find(array ?? '');
  const object = dot < 0 ? undefined : find(part.slice(0, dot));
  if (list !== undefined && index !== '*' && list.type === 'array') return undefined;
  const whole = found ?? (index === '*' ? list : undefined);
  if (whole?.type === 'array')
    return { because: `parameter "${whole.name}" is an array`, better: [parameterReference(whole.name, '[0]')] };
  if (whole?.type === 'object')
    return {
      because: `parameter "${whole.name}" is an object`,
      better: (whole.keys.length === 0 ? ['KEY'] : whole.keys).map((key) => `$(params.${whole.name}.${key})`),
    };
  if (whole !== undefined) return undefined;
  if (object?.type !== 'object') return { because: `the Task has no parameter "${array ?? part}"` };
  const isKnown = object.keys.length === 0 || object.keys.includes(part.slice(dot + 1));
  return isKnown ? undefined : { because: `parameter "${object.name}" has no key "${part.slice(dot + 1)}"` };
}

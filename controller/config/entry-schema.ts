// One group of keys of host-config against a JSON Schema: every problem at once, each with key, value and remedy. What a
// person reads as the remedy is the `description` of the key in the schema.
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { asObject, asText } from '../model/json.ts';
import { quoted } from './config-values.ts';
import type { ConfigProblem } from './host-config.ts';

/** Values by field, as they stand in the ConfigMap, trimmed. */
export type Entry = Readonly<Record<string, string>>;

/** `format`s a schema of ours may name. */
export type Formats = Readonly<Record<string, (value: string) => boolean>>;

export class EntrySchema {
  readonly #validate: ValidateFunction;
  readonly #properties: Readonly<Record<string, unknown>>;

  /**
   * Throws, with a sentence, when this is no JSON Schema. To know that for sure, ajv compiles the schema of schemas first, which is a
   * sixth of our start; what its strict mode tells is enough for schemas of ours.
   */
  constructor(schema: object, { isOurs = false, formats = {} }: { isOurs?: boolean; formats?: Formats } = {}) {
    if (Object.hasOwn(schema, '$async')) throw new Error('$async is not supported');
    // All of them are text: to say so again for every key is up to the author.
    const strict = { strict: true, strictTypes: false, strictTuples: false };
    const ajv = new Ajv({ allErrors: true, ...strict, validateSchema: !isOurs, meta: !isOurs, logger: false });
    for (const [name, validate] of Object.entries(formats)) ajv.addFormat(name, validate);
    this.#validate = ajv.compile(schema);
    this.#properties = asObject(asObject(schema)['properties']);
  }

  hasField(field: string): boolean {
    return Object.hasOwn(this.#properties, field);
  }

  /** What to put there; undefined when the schema does not say. */
  remedyOf(field: string): string | undefined {
    return this.hasField(field) ? asText(asObject(this.#properties[field])['description']) : undefined;
  }

  /** The first problem of each field. `prefix` stands before it in host-config. */
  problemsOf(prefix: string, entry: Entry): ConfigProblem[] {
    if (this.#validate(entry)) return [];
    const problems = new Map<string, ConfigProblem>();
    for (const error of this.#validate.errors ?? []) {
      const field = fieldOf(error);
      if (!problems.has(field)) problems.set(field, this.#problemOf(prefix, field, entry, error));
    }
    return [...problems.values()];
  }

  #problemOf(prefix: string, field: string, entry: Entry, error: ErrorObject): ConfigProblem {
    const remedy = this.remedyOf(field) ?? choicesOf(error) ?? error.message ?? error.keyword;
    const key = field === '' ? prefix : `${prefix}.${field}`;
    const value = Object.hasOwn(entry, field) ? entry[field] : undefined;
    const what = value === undefined ? (field === '' ? 'is not valid' : 'is missing') : `${quoted(value)} is not valid`;
    return { key, message: `${what}: ${remedy}`, severity: 'error' };
  }
}

/** '' when it is about the entry as a whole. */
function fieldOf({ params, instancePath }: ErrorObject): string {
  const named = asText(params['missingProperty']) ?? asText(params['additionalProperty']);
  if (named !== undefined) return named;
  return (instancePath.split('/')[1] ?? '').replaceAll('~1', '/').replaceAll('~0', '~');
}

/** An author's list of values is a remedy in itself. */
function choicesOf({ params }: ErrorObject): string | undefined {
  const choices: unknown = params['allowedValues'];
  return Array.isArray(choices) ? `give one of ${choices.join(', ')}` : undefined;
}

// New YAML as text: what the generator inserts is written here, so that YAML 1.1 and 1.2 readers read the same.
// It never touches text that came from the source, except to move it to another column.

export type YamlValue = string | number | boolean | readonly YamlValue[] | { readonly [key: string]: YamlValue };

/** Text that no YAML version takes for anything but a string. */
const plainString = /^[A-Za-z/][A-Za-z0-9_./-]*$/;
const wordsOfYaml11 = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$/i;
/** Characters that a block literal cannot hold for every reader (YAML 1.1 sees U+0085, U+2028 and U+2029 as line ends). */
// eslint-disable-next-line no-control-regex
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/;

export function isPrintable(text: string): boolean {
  return !unprintable.test(text);
}

function isPlain(text: string): boolean {
  return plainString.test(text) && !wordsOfYaml11.test(text);
}

/** A value on one line: a plain word where that is safe, otherwise JSON, which every YAML reader reads alike. */
export function scalarText(value: string | number | boolean): string {
  return typeof value === 'string' && isPlain(value) ? value : JSON.stringify(value);
}

/** JSON with spaces: for flow collections and JSON documents. */
export function flowText(value: YamlValue): string {
  if (typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(flowText).join(', ')}]`;
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${flowText(item)}`);
  return `{${entries.join(', ')}}`;
}

/** A block literal, header included, without the line feed that ends its last line. */
export function literalText(text: string, column: number): string {
  const header = text.endsWith('\n') ? '|' : '|-';
  const indent = ' '.repeat(column);
  const lines = text.replace(/\n$/, '').split('\n');
  return [header, ...lines.map((line) => (line === '' ? '' : indent + line))].join('\n');
}

/** Whether a block literal gives the text back: neither indentation at the start nor blank lines at the end. */
export function fitsLiteral(text: string): boolean {
  return isPrintable(text) && text.includes('\n') && /^\S/.test(text) && !/\n\s*\n$/.test(text);
}

/** A mapping or sequence as block lines; the first line carries no indentation, the others start at `column`. */
export function blockText(value: YamlValue, column: number, listIndent: number): string {
  if (typeof value !== 'object') return valueText(value, column);
  const newline = `\n${' '.repeat(column)}`;
  if (isList(value)) return value.map((item) => `- ${nestedText(item, column + 2, listIndent)}`).join(newline);
  return Object.entries(value)
    .map(([key, item]) => pairText(key, item, column, listIndent))
    .join(newline);
}

/** `key: value` for a mapping at `column`; lists stand `listIndent` columns to the right of their key, as in the source. */
export function pairText(key: string, value: YamlValue, column: number, listIndent: number): string {
  if (typeof value !== 'object') return `${scalarText(key)}: ${valueText(value, column + 2)}`;
  if (isEmptyCollection(value)) return `${scalarText(key)}: ${flowText(value)}`;
  const inner = column + (isList(value) ? listIndent : 2);
  return `${scalarText(key)}:\n${' '.repeat(inner)}${blockText(value, inner, listIndent)}`;
}

function nestedText(value: YamlValue, column: number, listIndent: number): string {
  return typeof value === 'object' && isEmptyCollection(value) ? flowText(value) : blockText(value, column, listIndent);
}

function valueText(value: string | number | boolean, column: number): string {
  return typeof value === 'string' && fitsLiteral(value) ? literalText(value, column) : scalarText(value);
}

function isList(value: YamlValue): value is readonly YamlValue[] {
  return Array.isArray(value);
}

function isEmptyCollection(value: object): boolean {
  return Object.keys(value).length === 0;
}

/** Moves source lines, all but the first, by some columns; a line with fewer leading spaces than that loses what it has. */
export function shiftLines(text: string, by: number): string {
  if (by === 0) return text;
  const [first = '', ...rest] = text.split('\n');
  const shifted = rest.map((line) => {
    if (line === '') return line;
    if (by > 0) return ' '.repeat(by) + line;
    const leading = line.length - line.trimStart().length;
    return line.slice(Math.min(leading, -by));
  });
  return [first, ...shifted].join('\n');
}

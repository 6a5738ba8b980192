// Writes a value as YAML in a hand that changes with every node: styles, quotes, comments, anchors, spaces, as the given choices say.
// What it writes is legal YAML 1.1 and 1.2 and means the value; nothing here knows what a Task is.

export type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value };

/** Words that some reader takes for something else, and text that needs quotes. */
const safeWord = /^[a-zA-Z/][a-zA-Z0-9_/-]*$/;
const readersDiffer = /^(?:y|n|yes|no|on|off|true|false|null|e[-\d].*)$/i;

export class YamlPen {
  readonly #choices: readonly number[];
  #used = 0;
  readonly #anchors = new Map<string, string>();

  constructor(choices: readonly number[]) {
    this.#choices = choices;
  }

  document(value: Value): string {
    return `${this.#block(value, 0).replace(/^\n/, '')}\n`;
  }

  /** 0 is the plainest. */
  #pick(count: number): number {
    const choice = this.#choices[this.#used++ % Math.max(1, this.#choices.length)] ?? 0;
    return choice % count;
  }

  /** Behind `key:` or `-`: begins with a space or a line feed. */
  #block(value: Value, column: number): string {
    const name = typeof value === 'object' || String(value).length > 3 ? JSON.stringify(value) : undefined;
    const known = name === undefined ? undefined : this.#anchors.get(name);
    if (known !== undefined && this.#pick(3) === 1) return ` *${known}`;
    let anchor = '';
    if (name !== undefined && known === undefined && this.#pick(5) === 1) {
      anchor = ` &a${this.#anchors.size}`;
      // What is inside it gets anchors first: an alias means the last one of its name.
      this.#anchors.set(name, anchor.slice(2));
    }
    const isCollection = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
    if (!isCollection) return `${anchor}${this.#scalar(value, column)}`;
    if (this.#pick(6) === 1) return `${anchor} ${this.#flow(value)}${this.#remark()}`;
    return `${anchor}${anchor === '' ? '' : this.#remark()}\n${this.#lines(value, column)}`;
  }

  #lines(value: Value, column: number): string {
    const indent = ' '.repeat(column);
    if (Array.isArray(value)) {
      return value.map((item: Value) => `${this.#comment(column)}${indent}-${this.#item(item, column)}`).join('\n');
    }
    const deeper = column + [2, 4, 3][this.#pick(3)]!;
    return Object.entries(value ?? {})
      .map(([key, item]) => {
        const list = Array.isArray(item) && item.length > 0 && this.#pick(2) === 1;
        return `${this.#comment(column)}${indent}${this.#key(key)}:${this.#block(item, list ? column : deeper)}`;
      })
      .join('\n');
  }

  /** A mapping begins beside its dash, or below it. */
  #item(item: Value, column: number): string {
    const gap = [1, 3][this.#pick(2)]!;
    const text = this.#block(item, column + 1 + gap);
    const compact = typeof item === 'object' && !Array.isArray(item) && this.#pick(4) !== 1;
    const first = `\n${' '.repeat(column + 1 + gap)}`;
    if (!compact || !text.startsWith(first) || text.startsWith(`${first}#`)) return text;
    return `${' '.repeat(gap)}${text.slice(first.length)}`;
  }

  #key(key: string): string {
    const word = readersDiffer.test(key) ? JSON.stringify(key) : key;
    return [word, word, word, JSON.stringify(key), `'${key}'`][this.#pick(5)] ?? key;
  }

  #scalar(value: Value, column: number): string {
    if (value === null) return `${['', ' null', ' ~'][this.#pick(3)]}${this.#remark()}`;
    if (typeof value === 'object')
      return ` ${Array.isArray(value) ? ['[]', '[ ]'][this.#pick(2)] : '{}'}${this.#remark()}`;
    if (typeof value !== 'string') return ` ${value}${this.#remark()}`;
    const tag = this.#pick(9) === 1 ? ' !!str' : '';
    if (/^\S[^]*[^\n]\n?$/.test(value) && value.includes('\n') && this.#pick(4) !== 1)
      return tag + this.#literal(value, column);
    return `${tag} ${this.#string(value)}${this.#remark()}`;
  }

  #string(value: string): string {
    const single = /^[ -~]*$/.test(value) ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value);
    const isSafe = safeWord.test(value) && !readersDiffer.test(value);
    const escaped = `"${value
      .replace(/[ -~]/g, (letter) => `\\x${letter.charCodeAt(0).toString(16)}`)
      .replace(/\n/g, '\\n')
      .replace(/\t/g, '\\t')}"`;
    const styles = [
      isSafe ? value : JSON.stringify(value),
      JSON.stringify(value),
      single,
      isSafe ? value : single,
      escaped,
    ];
    return styles[this.#pick(styles.length)] ?? single;
  }

  #literal(value: string, column: number): string {
    const deeper = Math.max(1, column + [0, 1, 4][this.#pick(3)]!);
    const [, body = '', tail = ''] = /^([^]*?)(\n*)$/.exec(value) ?? [];
    const chomp = tail === '' ? '-' : '';
    const lines = body.split('\n').map((line) => (line === '' ? '' : ' '.repeat(deeper) + line));
    const remark = this.#pick(4) === 1 ? ' # of the script' : '';
    return ` |${chomp}${remark}\n${lines.join('\n')}`;
  }

  #flow(value: Value): string {
    if (Array.isArray(value))
      return `[${this.#space()}${value.map((item: Value) => this.#flow(item)).join(`,${this.#space() || ' '}`)}${this.#space()}]`;
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value).map(([key, item]) => `${this.#key(key)}: ${this.#flow(item)}`);
      const comma = entries.length > 0 && this.#pick(5) === 1 ? ',' : '';
      return `{${this.#space()}${entries.join(`,${this.#space() || ' '}`)}${comma}${this.#space()}}`;
    }
    return typeof value === 'string' ? this.#string(value) : String(value);
  }

  #space(): string {
    return ['', ' ', '  '][this.#pick(3)] ?? '';
  }

  /** At the end of a line. */
  #remark(): string {
    return ['', '', '', '', ' # why: "x" {y} [z', '   ', ' #'][this.#pick(7)] ?? '';
  }

  /** On lines of its own. */
  #comment(column: number): string {
    const indent = ' '.repeat(column);
    return (
      ['', '', '', '', '', `${indent}# - name: no step\n`, `# at the margin: {\n`, '\n', `\n${indent}#no space\n\n`][
        this.#pick(9)
      ] ?? ''
    );
  }
}

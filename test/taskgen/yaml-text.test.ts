// What the generator inserts is read alike by YAML 1.1 (Kubernetes) and 1.2 readers, whatever it contains.

import { expect } from 'chai';
import * as fc from 'fast-check';
import { parse } from 'yaml';
import {
  blockText,
  fitsLiteral,
  flowText,
  literalText,
  pairText,
  scalarText,
  shiftLines,
} from '../../taskgen/yaml-text.ts';
import type { YamlValue } from '../../taskgen/yaml-text.ts';

const versions = ['1.1', '1.2'] as const;
const treacherous = [
  'yes',
  'on',
  'N',
  '0.10',
  '0644',
  '12:30',
  '1_000',
  '~',
  'null',
  '',
  ' a',
  'a ',
  '- a',
  '# a',
  'a: b',
  '$(x)',
  '!x',
  '1e3',
  '.5',
  '2024-01-01',
  '=',
  '<<',
];
const strings = fc.oneof(
  fc.constantFrom(...treacherous),
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.stringMatching(/^[a-z \n\t#:'"-]{0,30}$/),
);
const values: fc.Arbitrary<YamlValue> = fc.letrec<{ value: YamlValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    strings,
    fc.integer(),
    fc.boolean(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z]\w{0,5}$/), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;

describe('inserted YAML', () => {
  for (const version of versions) {
    it(`in flow style is read back by a YAML ${version} reader`, () => {
      const check = (value: YamlValue) => {
        expect(parse(flowText(value), { version })).to.deep.equal(value);
      };
      fc.assert(fc.property(values, check));
    });

    it(`in block style is read back by a YAML ${version} reader, at any column`, () => {
      const check = (value: YamlValue, column: number, listIndent: number) => {
        const text = `before: 1\nouter:\n${' '.repeat(column)}${pairText('key', value, column, listIndent)}\nafter: 2\n`;
        expect(parse(text, { version })).to.deep.equal({ before: 1, outer: { key: value }, after: 2 });
      };
      fc.assert(fc.property(values, fc.integer({ min: 1, max: 9 }), fc.constantFrom(0, 2), check));
    });
  }

  it('keeps a script as it is: blank lines, tabs, trailing spaces, indentation', () => {
    const scripts = fc.array(fc.stringMatching(/^[ \ta-z#:$"'\\{}-]{0,20}$/), { minLength: 1, maxLength: 8 });
    const check = (lines: string[], column: number) => {
      const script = `#!/bin/sh\n${lines.join('\n')}\n`;
      fc.pre(fitsLiteral(script));
      const text = `outer:\n${' '.repeat(column)}key: ${literalText(script, column + 2)}\nafter: 2\n`;
      expect(parse(text, { version: '1.1' })).to.deep.equal({ outer: { key: script }, after: 2 });
    };
    fc.assert(fc.property(scripts, fc.integer({ min: 1, max: 9 }), check));
  });

  it('quotes what YAML 1.1 takes for something else, and leaves plain words plain', () => {
    const shown = ['yes', 'Off', '0.10', '12:30', '1_000', 'source', '/var/lib', 'a b'].map(scalarText);
    expect(shown).to.deep.equal(['"yes"', '"Off"', '"0.10"', '"12:30"', '"1_000"', 'source', '/var/lib', '"a b"']);
  });

  it('writes lists below their key, or indented, as the source does', () => {
    expect(pairText('env', [{ name: 'A', value: '1' }], 0, 0)).to.equal('env:\n- name: A\n  value: "1"');
    expect(pairText('env', [{ name: 'A', value: '1' }], 0, 2)).to.equal('env:\n  - name: A\n    value: "1"');
    expect(blockText([[], {}], 0, 0)).to.equal('- []\n- {}');
  });
});

describe('source lines moved to another column', () => {
  const cases = [
    { by: 2, gives: 'a:\n    b\n\n  c' },
    { by: -2, gives: 'a:\nb\n\nc' },
    { by: 0, gives: 'a:\n  b\n\nc' },
  ];
  for (const { by, gives } of cases) {
    it(`by ${by}: all but the first, blank lines stay empty`, () =>
      expect(shiftLines('a:\n  b\n\nc', by)).to.equal(gives));
  }
});

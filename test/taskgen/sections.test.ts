// Cutting a file into documents: exact, and without a parser.

import { expect } from 'chai';
import * as fc from 'fast-check';
import { Document, parseAllDocuments } from 'yaml';
import { kindSeenIn, mayHoldTask, sectionsOf } from '../../taskgen/sections.ts';

const texts = (text: string) => sectionsOf(text).map((section) => section.text);

describe('a file is cut', () => {
  it('before every line of three dashes, and nowhere else', () => {
    expect(texts('a: 1\n---\nb: |\n  ---\n--- # second\nc: "--- "\n')).to.deep.equal([
      'a: 1\n',
      '---\nb: |\n  ---\n',
      '--- # second\nc: "--- "\n',
    ]);
  });

  it('not at all when it has directives', () => {
    expect(texts('%YAML 1.2\n---\na: 1\n---\nb: 2\n')).to.have.length(1);
  });

  it('into parts that give the file back, as many as a parser finds', () => {
    const values = fc.oneof(fc.string(), fc.constantFrom('---', '--- a', 'a\n---\nb\n', '...'), fc.integer());
    const documents = fc.array(fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), values, { minKeys: 1 }), {
      minLength: 1,
    });
    const check = (contents: Record<string, unknown>[]) => {
      const text = contents.map((content) => `---\n${new Document({ ...content }).toString()}`).join('');
      const sections = sectionsOf(text);
      expect(sections.map((section) => section.text).join('')).to.equal(text);
      expect(sections.filter(({ start }) => start === 0 || text[start - 1] === '\n')).to.have.length(sections.length);
      expect(sections).to.have.length(parseAllDocuments(text).length);
    };
    fc.assert(fc.property(documents, check), { numRuns: 200 });
  });
});

describe('a document', () => {
  const holding = [
    'kind: Task',
    '"kind": "Task"',
    "{kind: 'Task', a: 1}",
    'kind: &k Task',
    'kind: !!str Task',
    'kind: *k',
    'kind: List',
    'kind: ClusterTask',
    'kind: "\\x54ask"',
    'mankind: Tasks',
  ];
  for (const text of holding)
    it(`may hold a Task: ${text}`, () => expect(mayHoldTask({ start: 0, text })).to.equal(true));

  for (const text of ['kind: TaskRun', 'kind: ConfigMap', 'mankind: Task\nkind: Pod', 'name: Task\nkind: Pod']) {
    it(`holds none: ${text}`, () => expect(mayHoldTask({ start: 0, text })).to.equal(false));
  }

  it('shows its kind without being parsed', () => {
    expect(
      ['kind: ConfigMap\n', '{"kind": "Secret"}', 'a: 1\n'].map((text) => kindSeenIn({ start: 0, text })),
    ).to.deep.equal(['ConfigMap', 'Secret', '']);
  });
});

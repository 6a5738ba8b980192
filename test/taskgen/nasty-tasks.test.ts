// Legal Tasks in the most irregular hands, and text that is no YAML at all: the generator answers every one of them, and never with a surprise.

import { expect } from 'chai';
import * as fc from 'fast-check';
import { parse, parseAllDocuments } from 'yaml';
import { defaultOptions } from '../../taskgen/options.ts';
import { generateRemoteTask } from '../../taskgen/remote-task.ts';
import { YamlPen } from './yaml-pen.ts';
import type { Value } from './yaml-pen.ts';

const scripts = { remote: '#!/usr/bin/env bash\nexit\n', local: '#!/bin/sh\n', deferPush: '', sameStep: '' };

interface Entry {
  readonly name: string;
  readonly [key: string]: Value;
}
type Task = { metadata: Record<string, Value>; spec: Record<string, Value> & { steps: Entry[] } } & Record<
  string,
  Value
>;

const text = fc.oneof(
  fc.constantFrom(
    'yes',
    'No',
    '0.10',
    '12:30',
    '1_000',
    '~',
    'null',
    '-',
    '- a',
    'a: b',
    'a #b',
    '#',
    '{a',
    '[',
    '*a',
    '&a',
    '!a',
    '%a',
    '@a',
    '`',
    '|',
    '>',
    ' ',
    '',
    'tab\there',
    'x\\y',
    'naïve ☃ 😀',
    "it's",
    'say "x"',
    '$(params.x)',
    'two\nlines',
    '0x1F',
    '.inf',
    '=',
    '<<',
    '1e3',
    '2001-01-01',
  ),
  fc.string({ unit: 'grapheme', maxLength: 12 }).filter((it) => !/[\p{Cc}\p{Cs}\u2028\u2029\ufeff]/u.test(it)),
);
const line = fc.oneof(
  fc.stringMatching(/^[ \ta-z#:"'|>&*%@`{}[\],?!\\-]{0,20}$/),
  fc.constantFrom(
    '---x',
    '...',
    '- name: build',
    '  script: |',
    'EOF',
    '\t',
    '    deep',
    'printf \'%s\' "$x"',
    '# comment',
    '$$',
    'naïve ☃',
  ),
);
const script = fc
  .tuple(
    fc.constantFrom('', '#!/bin/bash\n', '#!/usr/bin/env python3\n'),
    fc.array(line, { maxLength: 6 }),
    fc.constantFrom('', '\n'),
  )
  .map(([shebang, lines, tail]) => `${shebang}echo\n${lines.join('\n')}`.replace(/\n+$/, '') + tail)
  .filter((it) => !/\/tekton|\$\(/.test(it));
const name = fc
  .stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/)
  .filter((it) => !/^(?:build|build-local|ssh|mp-.*)$/.test(it));
const shuffled = (record: fc.Arbitrary<Record<string, Value>>) =>
  fc.tuple(record, fc.infiniteStream(fc.nat(1000))).map(([it, order]) => {
    const ranked = Object.entries(it).map((entry) => [Number(order.next().value), entry] as const);
    return Object.fromEntries(ranked.sort(([a], [b]) => a - b).map(([, entry]) => entry));
  });
const empty = fc.constantFrom<Value>(null, []);
const step = (called: fc.Arbitrary<string>) =>
  shuffled(
    fc.record(
      {
        name: called,
        image: fc.constantFrom('docker.io/library/alpine:3.22', 'quay.io/a/b@sha256:00'),
        script,
        env: fc.oneof(
          empty,
          fc.uniqueArray(
            fc.record({ name: fc.stringMatching(/^[A-L]{1,4}$/), value: text }, { noNullPrototype: true }),
            { selector: (it) => it.name, maxLength: 3 },
          ),
        ),
        args: fc.oneof(empty, fc.array(text, { maxLength: 3 })),
        volumeMounts: empty,
        workspaces: empty,
        onError: fc.constant('continue'),
        timeout: fc.constant('1h0m0s'),
        securityContext: fc.constantFrom<Value>(null, {}, { runAsUser: 0 }),
        computeResources: fc.constantFrom<Value>(null, {}, { requests: { cpu: 2, memory: '4Gi' } }),
      },
      { requiredKeys: ['name', 'image', 'script'], noNullPrototype: true },
    ) as fc.Arbitrary<Record<string, Value>>,
  );
const map = fc.dictionary(name, text, { maxKeys: 3, noNullPrototype: true });
const task = fc
  .record({
    title: fc.oneof(name, fc.constant('a'.repeat(56))),
    annotations: fc.option(fc.oneof(fc.constant(null), map), { nil: undefined }),
    labels: fc.option(map, { nil: undefined }),
    before: fc.array(step(fc.constant('first')), { maxLength: 1 }),
    build: step(fc.constant('build')),
    after: fc.uniqueArray(step(name), { selector: (it) => it['name'], maxLength: 2 }),
    params: fc.option(
      fc.oneof(
        empty,
        fc.uniqueArray(fc.record({ name, description: text }, { noNullPrototype: true }), {
          selector: (it) => it.name,
          maxLength: 3,
        }),
      ),
      { nil: undefined },
    ),
    volumes: fc.option(fc.oneof(empty, fc.constant([{ name: 'scratch', emptyDir: {} }])), { nil: undefined }),
    description: fc.option(text, { nil: undefined }),
    order: fc.infiniteStream(fc.nat(1000)),
  })
  .map(({ title, annotations, labels, before, build, after, params, volumes, description, order }) => {
    const present = (it: Record<string, unknown>) => {
      const entries = Object.entries(it).filter(([, value]) => value !== undefined);
      const ranked = entries.map((entry) => [Number(order.next().value), entry] as const);
      return Object.fromEntries(ranked.sort(([a], [b]) => a - b).map(([, entry]) => entry));
    };
    return present({
      apiVersion: 'tekton.dev/v1',
      kind: 'Task',
      metadata: present({ name: title, annotations, labels }),
      spec: present({ description, params, volumes, steps: [...before, build, ...after] }),
    }) as Task;
  });

interface Hand {
  readonly choices: readonly number[];
  readonly lineEnd: '\n' | '\r\n';
  readonly mark: '' | '\ufeff';
  readonly before: string;
  readonly after: string;
}
const hand: fc.Arbitrary<Hand> = fc.record({
  choices: fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 60 }),
  lineEnd: fc.constantFrom('\n', '\n', '\r\n'),
  mark: fc.constantFrom('', '', '\ufeff'),
  before: fc.constantFrom(
    '',
    '---\n',
    '# first\n\n---\n',
    'kind: Pod\nmetadata: {name: no}\n---\n',
    '%YAML 1.1\n---\n',
    '--- # here\n',
  ),
  after: fc.constantFrom(
    '',
    '...\n',
    '---\n',
    '---\nkind: ConfigMap\ndata:\n  a: "x\n    y"\n',
    '\n\n# last\n',
    '---\nkind: Pipeline\nspec: {tasks: [{taskRef: {kind: Task}}]}\n',
  ),
});
const readAs = { version: '1.1', merge: true } as const;

function write(value: Task, { choices, lineEnd, mark, before, after }: Hand): string {
  const own = new YamlPen(choices).document(value);
  expect(parse(own, readAs), own).to.deep.equal(value);
  return mark + (before + own + after).replaceAll('\n', lineEnd);
}

const entries = (value: Value | undefined) => (Array.isArray(value) ? (value as Entry[]) : []);
const ours = /^(?:PLATFORM|ssh|mp-.*|MP_.*)$/;
const theirs = (value: Value | undefined) => entries(value).filter((it) => !ours.test(it.name));

function readTask(generated: string): Task {
  const documents = parseAllDocuments(generated, readAs);
  expect(documents.flatMap(({ errors }) => errors).map(({ message }) => message)).to.deep.equal([]);
  return (
    documents.map((document) => document.toJS() as Task).find((it) => it?.['kind'] === 'Task') ?? expect.fail('no Task')
  );
}

function expectSameMeaning(source: Task, result: Task): void {
  const [remote, local] = ['build', 'build-local'].map((wanted) => result.spec.steps.find((it) => it.name === wanted));
  const original = source.spec.steps.find((it) => it.name === 'build');
  const others = ({ spec }: Task) => spec.steps.filter((it) => !it.name.startsWith('build'));
  expect(others(result)).to.deep.equal(others(source));
  expect(theirs(result.spec['params'])).to.deep.equal(entries(source.spec['params']));
  expect(theirs(result.spec['volumes'])).to.deep.equal(entries(source.spec['volumes']));
  expect(result.spec['description']).to.equal(source.spec['description']);
  expect(result.metadata['labels']).to.deep.equal(source.metadata['labels']);
  expect(result.metadata['annotations']).to.include(source.metadata['annotations'] ?? {});
  for (const key of ['args', 'onError', 'timeout', 'workspaces', 'securityContext'])
    expect(local?.[key], key).to.deep.equal(original?.[key]);
  for (const copy of [remote, local]) expect(theirs(copy?.['env'])).to.deep.equal(theirs(original?.['env']));
  expect(local?.['image']).to.equal(original?.['image']);
  expect(String(remote?.['script'])).to.include(`\n${String(original?.['script'])}`);
}

describe('a Task in an irregular hand', function () {
  this.timeout(120_000);

  it('becomes a Task that means the same, and taskgen knows its own work again', () => {
    const check = (value: Task, how: Hand) => {
      const source = write(value, how);
      const { text: generated, findings } = generateRemoteTask(source, 'task.yaml', scripts, defaultOptions);
      expect(
        findings.filter(({ severity }) => severity === 'error'),
        source,
      ).to.deep.equal([]);
      expectSameMeaning(value, readTask(generated ?? ''));
      expect(generateRemoteTask(source, 'task.yaml', scripts, defaultOptions).text).to.equal(generated);
      const again = generateRemoteTask(generated ?? '', 'task.yaml', scripts, defaultOptions);
      expect({ text: again.text, codes: again.findings.map(({ code }) => code) }).to.deep.equal({
        text: undefined,
        codes: ['MPT009'],
      });
    };
    fc.assert(fc.property(task, hand, check), { numRuns: 300 });
  });

  it('with some bytes of it changed gets an answer that points into the file', () => {
    const damage = fc.array(
      fc.tuple(
        fc.nat(5000),
        fc.constantFrom(
          '',
          ':',
          '\n',
          '\t',
          '"',
          "'",
          '{',
          ']',
          '&a ',
          '*a',
          '<<: ',
          '- ',
          '|',
          '\u0000',
          '{{ x }}',
          '---\n',
          '!!binary ',
          '? ',
          '\ud800',
        ),
      ),
      { minLength: 1, maxLength: 4 },
    );
    const check = (value: Task, how: Hand, changes: readonly (readonly [number, string])[]) => {
      let source = write(value, how);
      for (const [at, what] of changes)
        source = source.slice(0, at % source.length) + what + source.slice((at % source.length) + 1);
      const { text: generated, findings } = generateRemoteTask(source, 'task.yaml', scripts, defaultOptions);
      if (generated === undefined) expect(findings.some(({ severity }) => severity === 'error')).to.equal(true);
      else readTask(generated);
      const last = source.split(/\r\n?|\n/).length;
      for (const { line: at, column, fix } of findings) {
        expect(at, source).to.be.within(1, last + 1);
        expect(column).to.be.greaterThan(0);
        expect(fix).not.to.equal('');
      }
    };
    fc.assert(fc.property(task, hand, damage, check), { numRuns: 400 });
  });
});

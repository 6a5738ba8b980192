// Tasks of every legal shape: keys in any order, empty lists and nulls, values that readers take for something else, scripts full of YAML.
// How they are laid out is yaml-pen.ts's.

import * as fc from 'fast-check';
import type { Value } from './yaml-pen.ts';

export interface Step {
  readonly name: string;
  readonly script: string;
  readonly [key: string]: Value;
}

export interface Task {
  readonly kind: string;
  readonly metadata: { readonly [key: string]: Value };
  readonly spec: { readonly steps: readonly Step[]; readonly [key: string]: Value };
  readonly [key: string]: Value;
}

/** The same without what is undefined, its keys in another order. */
function shuffled(it: object, order: Iterator<number>) {
  const entries = Object.entries(it).filter(([, value]) => value !== undefined);
  const ranked = entries.map(([key, value]) => ({ rank: Number(order.next().value), part: { [key]: value } }));
  return Object.assign({}, ...ranked.sort((a, b) => a.rank - b.rank).map(({ part }) => part));
}

const orders = fc.infiniteStream(fc.nat(1000));
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
const names = fc
  .stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/)
  .filter((it) => !/^(?:build|build-local|ssh|mp-.*)$/.test(it));
const empty = fc.constantFrom<Value>(null, []);
const variables = fc.uniqueArray(
  fc.record({ name: fc.stringMatching(/^[A-L]{1,4}$/), value: text }, { noNullPrototype: true }),
  { selector: (it) => it.name, maxLength: 3 },
);
const step = (called: fc.Arbitrary<string>) => {
  const optional = {
    env: fc.oneof(empty, variables),
    args: fc.oneof(empty, fc.array(text, { maxLength: 3 })),
    volumeMounts: empty,
    workspaces: empty,
    onError: fc.constant('continue'),
    timeout: fc.constant('1h0m0s'),
    securityContext: fc.constantFrom<Value>(null, {}, { runAsUser: 0 }),
    computeResources: fc.constantFrom<Value>(null, {}, { requests: { cpu: 2, memory: '4Gi' } }),
  };
  const image = fc.constantFrom('docker.io/library/alpine:3.22', 'quay.io/a/b@sha256:00');
  const record = fc.record(
    { name: called, image, script, ...optional },
    { requiredKeys: ['name', 'image', 'script'], noNullPrototype: true },
  );
  return fc.tuple(record, orders).map(([it, order]): Step => shuffled(it, order));
};
const map = fc.dictionary(names, text, { maxKeys: 3, noNullPrototype: true });
export const nastyTasks: fc.Arbitrary<Task> = fc
  .record({
    title: fc.oneof(names, fc.constant('a'.repeat(56))),
    annotations: fc.option(fc.oneof(fc.constant(null), map), { nil: undefined }),
    labels: fc.option(map, { nil: undefined }),
    before: fc.array(step(fc.constant('first')), { maxLength: 1 }),
    build: step(fc.constant('build')),
    after: fc.uniqueArray(step(names), { selector: (it) => it.name, maxLength: 2 }),
    params: fc.option(
      fc.oneof(
        empty,
        fc.uniqueArray(fc.record({ name: names, description: text }, { noNullPrototype: true }), {
          selector: (it) => it.name,
          maxLength: 3,
        }),
      ),
      { nil: undefined },
    ),
    volumes: fc.option(fc.oneof(empty, fc.constant([{ name: 'scratch', emptyDir: {} }])), { nil: undefined }),
    description: fc.option(text, { nil: undefined }),
    order: orders,
  })
  .map(({ title, annotations, labels, before, build, after, params, volumes, description, order }): Task => {
    const metadata = shuffled({ name: title, annotations, labels }, order);
    const spec = shuffled({ description, params, volumes, steps: [...before, build, ...after] }, order);
    return shuffled({ apiVersion: 'tekton.dev/v1', kind: 'Task', metadata, spec }, order);
  });

export interface Hand {
  readonly choices: readonly number[];
  readonly lineEnd: '\n' | '\r\n';
  readonly mark: '' | '\ufeff';
  readonly before: string;
  readonly after: string;
}
/** How it is written, and what stands around it. */
export const hands: fc.Arbitrary<Hand> = fc.record({
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

// Tasks nobody wrote, in every layout YAML allows: the generated Task means what the source means, plus what is documented.

import { expect } from 'chai';
import * as fc from 'fast-check';
import { Document, isMap, parse, parseDocument } from 'yaml';
import { defaultOptions } from '../../taskgen/options.ts';
import { generateRemoteTask } from '../../taskgen/remote-task.ts';

const scripts = {
  remote: '#!/usr/bin/env bash\nexit\n',
  local: '#!/bin/sh\n',
  deferPush: '',
  remoteAsRoot: '',
  sameStep: '',
};

interface Entry {
  readonly name: string;
  readonly [key: string]: unknown;
}

type Fields = Record<string, fc.Arbitrary<unknown>>;

interface Layout {
  readonly indent: number;
  readonly indentSeq: boolean;
  readonly flow: number;
  readonly quotes: 'PLAIN' | 'QUOTE_DOUBLE' | 'QUOTE_SINGLE';
  readonly shared: boolean;
}

const words = fc
  .stringMatching(/^[a-z][a-z0-9-]{0,6}[a-z]$/)
  .filter((word) => !['build', 'build-local', 'ssh', 'no', 'on', 'off', 'yes'].includes(word));
const texts = fc.oneof(words, fc.constantFrom('yes', '0.10', 'a: b', '# x', ' ', '$(params.x)', 'two\nlines\n'));
const lines = fc.array(fc.stringMatching(/^[ \ta-z#:"'|>&*-]{0,12}$/), { minLength: 1, maxLength: 4 });
const script = lines.map((all) => `#!/bin/sh\n${all.join('\n')}\n`);
const named = (name: fc.Arbitrary<string>, rest: Fields, optional: Fields): fc.Arbitrary<Entry> => {
  const some = fc.record(optional, { requiredKeys: [], noNullPrototype: true });
  const all = fc.record(rest, { noNullPrototype: true });
  return fc.tuple(name, all, some).map(([chosen, always, perhaps]) => ({ name: chosen, ...always, ...perhaps }));
};
const environment = fc.uniqueArray(named(fc.stringMatching(/^[A-L]{1,4}$/), { value: texts }, {}), {
  selector: (it) => it.name,
  maxLength: 3,
});
const step = (name: fc.Arbitrary<string>) =>
  named(
    name,
    { image: words, script },
    {
      env: environment,
      args: fc.array(texts, { maxLength: 2 }),
      onError: fc.constant('continue'),
      timeout: fc.constant('1h'),
      securityContext: fc.constant({ runAsUser: 0 }),
      volumeMounts: fc.constant([{ name: 'scratch', mountPath: '/scratch' }]),
    },
  );
const tasks = fc
  .record(
    {
      before: fc.array(step(fc.constant('first')), { maxLength: 1 }),
      build: step(fc.constant('build')),
      after: fc.uniqueArray(step(words), { selector: (it) => it.name, maxLength: 2 }),
      params: fc.uniqueArray(named(words, {}, { default: texts }), { selector: (it) => it.name, maxLength: 2 }),
      description: texts,
      annotations: fc.dictionary(words, texts, { maxKeys: 2, noNullPrototype: true }),
    },
    { requiredKeys: ['before', 'build', 'after'], noNullPrototype: true },
  )
  .map(({ before, build, after, params, description, annotations }) => ({
    apiVersion: 'tekton.dev/v1',
    kind: 'Task',
    metadata: { name: 'random', ...(annotations === undefined ? {} : { annotations }) },
    spec: {
      ...(description === undefined ? {} : { description }),
      ...(params === undefined ? {} : { params }),
      volumes: [{ name: 'scratch', emptyDir: {} }],
      steps: [...before, build, ...after],
    },
  }));
const layouts: fc.Arbitrary<Layout> = fc.record({
  indent: fc.constantFrom(2, 3, 4),
  indentSeq: fc.boolean(),
  flow: fc.integer({ min: 0, max: 5 }),
  quotes: fc.constantFrom('PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE'),
  shared: fc.boolean(),
});

/** Collections below a depth in flow style, strings quoted in one way or another, and one env list shared by an anchor. */
function write(task: { spec: { steps: Entry[] } }, layout: Layout): string {
  const steps = [...task.spec.steps];
  const shared = steps.find(({ env }) => env !== undefined)?.['env'];
  const content = {
    ...task,
    spec: {
      ...task.spec,
      steps: steps.map((it) => (layout.shared && it['env'] !== undefined ? { ...it, env: shared } : it)),
    },
  };
  const document = new Document(content, { version: '1.1', aliasDuplicateObjects: layout.shared });
  return document.toString({
    indent: layout.indent,
    indentSeq: layout.indentSeq,
    lineWidth: 0,
    defaultStringType: layout.quotes,
    defaultKeyType: 'PLAIN',
    collectionStyle: layout.flow === 0 ? 'flow' : 'any',
  });
}

function read(text: string): {
  metadata: Record<string, unknown>;
  spec: { steps: Entry[]; params?: Entry[]; volumes: Entry[] } & Record<string, unknown>;
} {
  return parse(text, { version: '1.1', merge: true });
}

/** Nor those that must change: the name, and lists that are empty and get entries. */
function linesOutsideBuild(text: string, steps: readonly Entry[]): string[] {
  const position = steps.findIndex(({ name }) => name === 'build');
  const node = parseDocument(text, { version: '1.1' }).getIn(['spec', 'steps', position], true);
  if (!isMap(node) || !node.range) throw new Error('there is no build step');
  const [start, , end] = node.range;
  const before = text.slice(0, text.lastIndexOf('\n', start) + 1);
  const changing = /^\s*(?:name: ["']?random["']?|(?:params|annotations): (?:\[\s*\]|\{\s*\}))$/;
  return [...before.split('\n'), ...text.slice(end).split('\n')].filter((line) => line !== '' && !changing.test(line));
}

const without = (list: Entry[] | undefined, ...names: string[]) =>
  (list ?? []).filter(({ name }) => !names.includes(name));

describe('any Task in any layout', function () {
  this.timeout(60_000);
  const check = (task: { spec: { steps: Entry[] } }, layout: Layout) => {
    const text = write(task, layout);
    const source = read(text);
    const generated = generateRemoteTask(text, 'task.yaml', scripts, defaultOptions);
    expect(generated.findings.filter(({ severity }) => severity === 'error')).to.deep.equal([]);
    const result = read(generated.text ?? '');
    const original = source.spec.steps.find(({ name }) => name === 'build');
    const [remote, local] = ['build', 'build-local'].map((wanted) =>
      result.spec.steps.find(({ name }) => name === wanted),
    );

    expect(without(result.spec.steps, 'build', 'build-local')).to.deep.equal(without(source.spec.steps, 'build'));
    expect(without(result.spec.params, 'PLATFORM')).to.deep.equal(source.spec.params ?? []);
    expect(without(result.spec.volumes, 'ssh', 'mp-pod-info', 'mp-shared')).to.deep.equal(source.spec.volumes);
    expect(result.spec['description']).to.equal(source.spec['description']);
    expect(result.metadata['annotations']).to.include(source.metadata['annotations'] ?? {});
    for (const copy of [remote, local]) {
      for (const key of ['args', 'onError', 'timeout', 'securityContext'])
        expect(copy?.[key]).to.deep.equal(original?.[key]);
      expect(JSON.stringify(copy?.['env'])).to.include(JSON.stringify(original?.['env'] ?? []).slice(1, -1));
    }
    expect(local?.['image']).to.equal(original?.['image']);
    expect(remote?.['script']).to.include(`\n${String(original?.['script'])}MP_SCRIPT_`);
  };

  it('means the same after generation, but for the documented additions', () => {
    fc.assert(fc.property(tasks, layouts, check), { numRuns: 200 });
  });

  it('keeps every line outside the build step, byte for byte and in order', () => {
    const keeps = (task: { spec: { steps: Entry[] } }, layout: Layout) => {
      const text = write(task, { ...layout, shared: false, flow: 1 });
      const generated = generateRemoteTask(text, 'task.yaml', scripts, defaultOptions).text ?? '';
      const wanted = linesOutsideBuild(text, task.spec.steps);
      const found = generated.split('\n');
      let at = 0;
      for (const line of wanted) {
        const next = found.indexOf(line, at);
        expect(next, `"${line}" is gone:\n${generated}`).not.to.equal(-1);
        at = next + 1;
      }
    };
    fc.assert(fc.property(tasks, layouts, keeps), { numRuns: 200 });
  });

  it('is generated alike however often', () => {
    const twice = (task: { spec: { steps: Entry[] } }, layout: Layout) => {
      const [first, second] = [1, 2].map(
        () => generateRemoteTask(write(task, layout), 'task.yaml', scripts, defaultOptions).text,
      );
      expect(first).to.equal(second);
    };
    fc.assert(fc.property(tasks, layouts, twice), { numRuns: 50 });
  });
});

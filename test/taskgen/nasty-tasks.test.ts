// Legal Tasks in the most irregular hands, and text that is no YAML at all: the generator answers every one of them, and never with a surprise.

import { expect } from 'chai';
import * as fc from 'fast-check';
import { parse, parseAllDocuments } from 'yaml';
import { defaultOptions } from '../../taskgen/options.ts';
import { generateRemoteTask } from '../../taskgen/remote-task.ts';
import { hands, nastyTasks } from './nasty-task.ts';
import type { Hand, Task } from './nasty-task.ts';
import { YamlPen } from './yaml-pen.ts';

const scripts = {
  remote: '#!/usr/bin/env bash\nexit\n',
  local: '#!/bin/sh\n',
  remoteAsRoot: '',
  deferPush: '',
  sameStep: '',
};

const readAs = { version: '1.1', merge: true } as const;

function write(value: Task, { choices, lineEnd, mark, before, after }: Hand): string {
  const own = new YamlPen(choices).document(value);
  expect(parse(own, readAs), own).to.deep.equal(value);
  return mark + (before + own + after).replaceAll('\n', lineEnd);
}

const ours = /^(?:PLATFORM|ssh|mp-.*|MP_.*)$/;
function entries(value: unknown): { readonly name: string }[] {
  return Array.isArray(value) ? value : [];
}
const theirs = (value: unknown) => entries(value).filter((it) => !ours.test(it.name));

function readTask(generated: string): Task {
  const documents = parseAllDocuments(generated, readAs);
  expect(documents.flatMap(({ errors }) => errors).map(({ message }) => message)).to.deep.equal([]);
  const contents: (Task | null)[] = documents.map((document) => document.toJS());
  return contents.find((it) => it?.kind === 'Task') ?? expect.fail('no Task');
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
  expect(remote?.script).to.include(`\n${original?.script}`);
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
    fc.assert(fc.property(nastyTasks, hands, check), { numRuns: 300 });
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
      // Other documents pass as they are, broken ones too.
      let source = write(value, { ...how, before: '', after: '' });
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
    fc.assert(fc.property(nastyTasks, hands, damage, check), { numRuns: 400 });
  });
});

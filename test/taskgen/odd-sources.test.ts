// What the command answers to files that are no Task, or hardly one: one clear sentence, whatever the size.

import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { main, source } from './command.ts';

describe('taskgen, given something odd,', function () {
  this.timeout(60_000);
  const many = Array.from({ length: 100 }, (_, index) => index);
  const cases = [
    {
      what: 'nothing',
      text: '',
      says: [/^stdin:1:1: error MPT010: There is no Task here, nor any other object with a kind\./],
    },
    { what: 'another kind', text: 'kind: Pod\n', says: [/error MPT010: There is no Task here, only: Pod\./] },
    { what: 'prose', text: '# Title\n\nSome *text*: it\n- a\n', says: [/^stdin:4:1: error MPT000: /] },
    {
      what: 'bytes',
      text: String.fromCharCode(...many),
      says: [/^stdin:1:1: error MPT000: This is no UTF-8 text\./],
    },
    {
      what: 'a Pipeline with a taskSpec',
      text: 'kind: Pipeline\nspec: {tasks: [{name: b, taskSpec: {steps: [{name: build}]}}]}\n',
      says: [/only: Pipeline\.\n.*Steps in a taskSpec need a Task of their own/],
    },
    { what: 'a StepAction', text: 'kind: StepAction\n', says: [/Write what the StepAction does into a step/] },
    {
      what: 'a Task without steps',
      text: source('x').replace(/ {2}steps:[^]*/, ''),
      says: [/error MPT001: The Task has no steps\./],
    },
    {
      what: 'steps that are no list',
      text: source('x').replace('    - name', '      name'),
      says: [/MPT001: The Task has no steps\./],
    },
    {
      what: 'a tab among blanks',
      text: source('x').replace('    - name', '\t- name'),
      says: [
        /^\S+ error MPT000: Tabs are not allowed as indentation\.\n {4}fix: Indent with spaces\.\ntaskgen: no Task was made: 1 error\n$/,
      ],
    },
    {
      what: 'a template',
      text: `{{- if .Values.x }}\n${source('x')}{{- end }}\n`,
      says: [/^\S+ error MPT000: .*\n {4}fix: .* render it first\.\ntaskgen: no Task was made: 1 error\n$/],
    },
    {
      what: 'a step that is a StepAction',
      text: source('x').replace(/image:[^]*/, 'ref: {name: other}\n'),
      says: [/^\S+ note MPT033: .*\n.*\n\S+ error MPT003: .*\n.*\ntaskgen: no Task was made: 1 error, 1 note\n$/],
    },
    {
      what: 'aliases that multiply',
      text: `${source('bomb')}a: &a [1,2,3,4,5,6,7,8,9]\nb: &b [${'*a,'.repeat(9)}]\nc: &c [${'*b,'.repeat(9)}]\nd: [${'*c,'.repeat(9)}]\n`,
      says: [/error MPT000: Aliases cannot be followed/],
    },
    {
      what: 'errors without end',
      text: `kind: Task\n${'a: [b\n'.repeat(150_000)}`,
      says: [/error MPT000: There are at least \d+ more errors from here on\./],
    },
    {
      what: 'a Task with 200 findings',
      text: source('many')
        .replace('spec:\n', `spec:\n  workspaces: [${many.map((n) => `{name: token-${n}}`).join(', ')}]\n`)
        .replace(
          /$/,
          `      env: [${many.map((n) => `{name: E${n}, valueFrom: {secretKeyRef: {name: s, key: k}}}`).join(', ')}]\n`,
        ),
      says: [/Workspace "token-0"/, /Workspace "token-99"/, /Variable "E0"/, /Variable "E99"/],
      status: 0,
    },
    {
      what: 'a megabyte of other documents, broken ones too',
      text: `${source('small')}---\nkind: ConfigMap\ndata: {\n${'  text: "not closed\n'.repeat(50_000)}`,
      says: [/MPT033/],
      status: 0,
    },
  ];
  for (const { what, text, says, status = 3 } of cases) {
    it(`answers clearly: ${what}`, () => {
      const result = spawnSync(process.execPath, [main, '-'], { input: text, encoding: 'utf8', maxBuffer: 2 ** 26 });
      expect(result.status, result.stderr.slice(0, 500)).to.equal(status);
      for (const sentence of says) expect(result.stderr).to.match(sentence);
      expect(result.stderr).not.to.match(/\n {4}at /);
    });
  }
});

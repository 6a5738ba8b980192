// `taskgen pipeline`: what it makes of a remote Task, what it refuses, and the command as people run it.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { generatePipeline } from '../../taskgen/pipeline.ts';
import type { PipelineOptions } from '../../taskgen/pipeline.ts';

const main = join(import.meta.dirname, '../../taskgen/main.ts');
const options: PipelineOptions = {
  platforms: ['linux/amd64', 'linux/arm64'],
  name: undefined,
  select: undefined,
  imageParameter: 'IMAGE',
};

interface Entry {
  readonly name: string;
  readonly value?: unknown;
  readonly default?: unknown;
  readonly [key: string]: unknown;
}
interface Pipeline {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly params: readonly Entry[];
    readonly workspaces?: readonly Entry[];
    readonly tasks: readonly (Entry & {
      readonly params: readonly Entry[];
      readonly matrix?: { readonly params: readonly Entry[] };
    })[];
    readonly results: readonly Entry[];
  };
}

const task = (spec: string, name = 'pack-remote') => `apiVersion: tekton.dev/v1
kind: Task
metadata:
  name: ${name}
spec:
${spec.replaceAll(/^/gm, '  ')}
  steps: [{name: build, image: alpine, script: make}]
`;
const small = task('params: [{name: IMAGE}, {name: PLATFORM}]\nresults: [{name: PLATFORM_RESULT}]');

function made(text: string, more: Partial<PipelineOptions> = {}): Pipeline {
  const { text: generated, problems } = generatePipeline(text, 'task.yaml', { ...options, ...more });
  expect(problems).to.deep.equal([]);
  return parse(generated ?? '', { version: '1.1' });
}

const valueOf = (entries: readonly Entry[], name: string): unknown => entries.find((it) => it.name === name)?.value;

describe('M1 taskgen pipeline', () => {
  it('fans the Task out over PLATFORM and joins what it reports', () => {
    const { spec, metadata } = made(small);
    const [build, index] = spec.tasks;
    expect(metadata.name).to.equal('pack-multi-platform');
    expect(build).to.deep.include({ name: 'build', taskRef: { name: 'pack-remote' } });
    expect(build?.matrix?.params).to.deep.equal([{ name: 'PLATFORM', value: ['$(params.PLATFORMS[*])'] }]);
    expect(spec.params.find(({ name }) => name === 'PLATFORMS')?.default).to.deep.equal(options.platforms);
    expect(index).to.deep.include({ name: 'index', taskRef: { name: 'build-image-index' } });
    expect(valueOf(index?.params ?? [], 'PLATFORMS')).to.deep.equal(['$(params.PLATFORMS[*])']);
    expect(valueOf(index?.params ?? [], 'PLATFORM_RESULTS')).to.deep.equal([
      '$(tasks.build.results.PLATFORM_RESULT[*])',
    ]);
    expect(spec.results.map(({ name }) => name)).to.deep.equal([
      'IMAGE_URL',
      'IMAGE_DIGEST',
      'IMAGE_REF',
      'IMAGES',
      'PLATFORM_RESULTS',
    ]);
  });

  it('passes every parameter on, by its type, with the default it has', () => {
    const parameters = `params:
  - {name: IMAGE}
  - {name: PLATFORM, default: localhost}
  - {name: CONTEXT, default: .}
  - {name: VERSION, type: string, default: "0.10"}
  - {name: ARGS, type: array, default: ["yes", "12:30"]}
  - {name: TYPELESS, default: [a]}
  - {name: WHERE, type: object, properties: {a: {type: string}}}
  - {name: BUILD, properties: {file: {type: string}}, default: {file: Dockerfile}}
results: [{name: PLATFORM_RESULT}]`;
    const { spec } = made(task(parameters));
    expect(spec.params.map((it) => [it.name, it.default])).to.deep.equal([
      ['IMAGE', undefined],
      ['CONTEXT', '.'],
      ['VERSION', '0.10'],
      ['ARGS', ['yes', '12:30']],
      ['TYPELESS', ['a']],
      ['WHERE', undefined],
      ['BUILD', { file: 'Dockerfile' }],
      ['PLATFORMS', options.platforms],
      ['IMAGES', []],
      ['ALLOW_MISSING', 'false'],
    ]);
    expect(spec.tasks[0]?.params).to.deep.equal([
      { name: 'IMAGE', value: '$(params.IMAGE)' },
      { name: 'CONTEXT', value: '$(params.CONTEXT)' },
      { name: 'VERSION', value: '$(params.VERSION)' },
      { name: 'ARGS', value: ['$(params.ARGS[*])'] },
      { name: 'TYPELESS', value: ['$(params.TYPELESS[*])'] },
      { name: 'WHERE', value: '$(params.WHERE[*])' },
      { name: 'BUILD', value: '$(params.BUILD[*])' },
    ]);
  });

  it('gives the index the name of an image that has several parts', () => {
    const parts = small.replace('{name: IMAGE}', '{name: image, type: object, properties: {url: {}, tag: {}}}');
    const { spec } = made(parts, { imageParameter: '$(params.image.url):$(params.image.tag)' });
    expect(valueOf(spec.tasks[1]?.params ?? [], 'IMAGE')).to.equal('$(params.image.url):$(params.image.tag)');
  });

  it('binds workspaces, and gives the index the credentials', () => {
    const workspaces = 'workspaces: [{name: source, mountPath: /src}, {name: dockerconfig, optional: true}]\n';
    const { spec } = made(
      task(`${workspaces}params: [{name: IMAGE}, {name: PLATFORM}]\nresults: [{name: PLATFORM_RESULT}]`),
    );
    expect(spec.workspaces).to.deep.equal([{ name: 'source' }, { name: 'dockerconfig', optional: true }]);
    const bound = (name: string) => ({ name, workspace: name });
    expect(spec.tasks[0]?.['workspaces']).to.deep.equal([bound('source'), bound('dockerconfig')]);
    expect(spec.tasks[1]?.['workspaces']).to.deep.equal([bound('dockerconfig')]);
  });

  it('has a Task that can do so push by digest and report a failure', () => {
    const { spec } = made(
      task(
        'params: [{name: IMAGE}, {name: PLATFORM}, {name: PUSH_TAG}, {name: ON_ERROR}]\nresults: [{name: PLATFORM_RESULT}]',
      ),
    );
    expect(valueOf(spec.tasks[0]?.params ?? [], 'PUSH_TAG')).to.equal('false');
    expect(valueOf(spec.tasks[0]?.params ?? [], 'ON_ERROR')).to.equal('continue');
    expect(spec.params.map(({ name }) => name))
      .not.to.include('PUSH_TAG')
      .and.not.to.include('ON_ERROR');
  });

  it('takes IMAGE_REF of a Task that reports nothing more', () => {
    const { spec } = made(task('params: [{name: IMAGE}, {name: PLATFORM}]\nresults: [{name: IMAGE_REF}]'));
    expect(valueOf(spec.tasks[1]?.params ?? [], 'PLATFORM_RESULTS')).to.deep.equal([
      '$(tasks.build.results.IMAGE_REF[*])',
    ]);
  });

  it('takes another name, another image parameter, and one Task of several', () => {
    const several = `${small}---\n${task('params: [{name: TAG}, {name: PLATFORM}]\nresults: [{name: IMAGE_REF}]', 'other')}`;
    const pipeline = made(several, { select: 'other', imageParameter: 'TAG', name: 'both' });
    expect(pipeline.metadata.name).to.equal('both');
    expect(valueOf(pipeline.spec.tasks[1]?.params ?? [], 'IMAGE')).to.equal('$(params.TAG)');
  });

  const refused = [
    { title: 'a Task that is not remote', text: task('params: [{name: IMAGE}]\nresults: [{name: IMAGE_REF}]'), says: ['has no parameter PLATFORM: make it remote first'] },
    { title: 'a Task without results, in the same breath', text: task('params: [{name: TAG}]'), says: ['has no parameter PLATFORM', 'the Task has no parameter "IMAGE"', 'has neither a result PLATFORM_RESULT nor IMAGE_REF'] },
    { title: 'a Task with a parameter that differs by case only', text: small.replace('{name: IMAGE}', '{name: IMAGE}, {name: platforms}'), says: ['has a parameter platforms, which the Pipeline needs for itself'] },
    { title: 'a Task whose image is an object', text: small.replace('{name: IMAGE}', '{name: IMAGE, properties: {url: {type: string}}}'), says: ['parameter "IMAGE" is an object; name $(params.IMAGE.url) by --image-param'] },
    { title: 'a Task with a parameter of the Pipeline', text: small.replace('{name: IMAGE}', '{name: IMAGE}, {name: PLATFORMS}'), says: ['has a parameter PLATFORMS, which the Pipeline needs for itself'] },
    { title: 'a Task of v1beta1', text: small.replace('/v1', '/v1beta1'), says: ['convert the Task first, taskgen --api-version v1'] },
    { title: 'no Task at all', text: 'kind: Pod\n', says: ['task.yaml:1:1: There is no Task here, only: Pod.'] },
    { title: 'broken YAML', text: 'a: [\n', says: ['task.yaml:'] },
  ]; // prettier-ignore
  for (const { title, text, says } of refused) {
    it(`refuses ${title}`, () => {
      const { text: generated, problems } = generatePipeline(text, 'task.yaml', options);
      expect(generated).to.equal(undefined);
      expect(problems).to.have.length(says.length);
      for (const [index, part] of says.entries()) expect(problems[index]).to.include(part);
    });
  }

  it('refuses a name that Kubernetes would not take', () => {
    const { problems } = generatePipeline(small, 'task.yaml', { ...options, name: 'Big Name' });
    expect(problems).to.deep.equal([
      'task.yaml: "Big Name" is no name for a Pipeline (lower case letters, digits and dashes, at most 63): say --name NAME',
    ]);
  });
});

describe('M1 taskgen pipeline, run as a command', function () {
  this.timeout(60_000);
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'taskgen-pipeline-'));
    writeFileSync(join(folder, 'task.yaml'), small);
  });
  after(() => rmSync(folder, { recursive: true }));
  const run = (words: readonly string[], input = '') =>
    spawnSync(process.execPath, [main, 'pipeline', ...words], { cwd: folder, input, encoding: 'utf8' });
  const platforms = ['--platforms', 'linux/amd64,linux/arm64'];

  it('takes our own Task when none is named', () => {
    const { status, stdout, stderr } = run(platforms);
    expect(status, stderr).to.equal(0);
    expect(stdout).to.equal(
      readFileSync(join(import.meta.dirname, '../../tasks/generated/buildah-multi-platform.yaml'), 'utf8'),
    );
  });

  it('reads standard input', () => {
    const { status, stdout } = run([...platforms, '-'], small);
    expect(status).to.equal(0);
    expect(stdout).to.match(/^# Code generated by taskgen pipeline from stdin; DO NOT EDIT\.\n/);
  });

  it('writes a file that --check finds current, until the Task changes', () => {
    expect(run([...platforms, 'task.yaml', '-o', 'out.yaml'])).to.include({ status: 0, stdout: '' });
    expect(run([...platforms, 'task.yaml', '--check', '-o', 'out.yaml'])).to.include({ status: 0, stdout: '' });
    writeFileSync(join(folder, 'task.yaml'), small.replace('{name: IMAGE}', '{name: IMAGE}, {name: WORD}'));
    const { status, stdout } = run([...platforms, 'task.yaml', '--check', '-o', 'out.yaml']);
    expect(status).to.equal(1);
    expect(stdout).to.include('+    - name: WORD\n');
  });

  const wrong = [
    { words: [], says: "required option '--platforms <list>' not specified" },
    { words: ['--platforms', 'linux/amd64,'], says: '"" is no platform. Write them as linux/amd64,linux/arm64.' },
    { words: ['--platforms', 'linux/arm64,linux/arm/v7'], says: '"linux/arm/v7" is no platform' },
    { words: ['--platforms', '$(params.x)'], says: '"$(params.x)" is no platform' },
    { words: ['--platforms', 'linux/arm64,linux/arm64'], says: '"linux/arm64" is there twice' },
    { words: [...platforms, '--check'], says: '--check compares with a file: add -o FILE' },
    { words: [...platforms, '--wat'], says: "unknown option '--wat'" },
    { words: [...platforms, 'none.yaml'], says: 'cannot read none.yaml' },
  ];
  for (const { words, says } of wrong) {
    it(`ends with 2 for: ${words.join(' ')}`, () => {
      const { status, stdout, stderr } = run(words);
      expect(stderr).to.include(says);
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' });
    });
  }

  it('ends with 3 for a Task it cannot use', () => {
    const { status, stderr } = run([...platforms, '-'], 'kind: Pod\n');
    expect(stderr).to.match(/^error: stdin:1:1: There is no Task here/);
    expect(status).to.equal(3);
  });

  it('explains itself', () => {
    const { status, stdout } = run(['--help']);
    expect(status).to.equal(0);
    for (const word of ['--platforms', '--check', 'PLATFORM_RESULT', 'Exit codes:']) expect(stdout).to.include(word);
  });
});

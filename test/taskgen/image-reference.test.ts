// Images whose name is a key of an object or an element of an array.

import { expect } from 'chai';
import { parse } from 'yaml';
import { imageParameters, imageReference } from '../../taskgen/image-reference.ts';
import { generatePipeline } from '../../taskgen/pipeline.ts';
import { fields, list } from '../../taskgen/task-model.ts';
import { made } from './small-task.ts';

const task = (parameter: string, tag: string) => `params: [${parameter}]
volumes: [{name: storage, emptyDir: {}}]
stepTemplate: {volumeMounts: [{name: storage, mountPath: /var/lib/containers}]}
steps:
  - {name: build, image: buildah, securityContext: {runAsUser: 0}, script: 'buildah bud -t "${tag}" .'}
  - {name: push, image: buildah, script: 'buildah push ${tag}'}`;

const object = '{name: image, type: object, properties: {url: {type: string}, tag: {type: string}}}';
const array = '{name: tags, type: array}';

describe('an image that is named by', () => {
  for (const [what, parameter, tag] of [
    ['keys of an object', object, '$(params.image.url):$(params.image.tag)'],
    ['an element of an array', array, '$(params.tags[0])'],
  ] as const) {
    it(`${what} comes back`, () => {
      const { variables, findings } = made(task(parameter, tag), ['--image-param', tag]);
      expect(variables['MP_RESULT_IMAGE']).to.equal(tag);
      expect(findings.join('')).not.to.match(/MPT03/);
    });
    it(`${what} is what the finding advises`, () =>
      expect(made(task(parameter, tag)).findings.join('')).to.include(`by --image-param (perhaps '${tag}')`));
  }

  for (const [name, parameter, says, use] of [
    ['tags', array, 'parameter "tags" is an array', `'$(params.tags[0])'`],
    ['$(params.tags[*])', array, 'parameter "tags" is an array', `'$(params.tags[0])'`],
    ['image', object, 'parameter "image" is an object', `'$(params.image.url)', '$(params.image.tag)'`],
  ] as const)
    it(`${name} as a whole is refused`, () => {
      const findings = made(task(parameter, '$(params.X)'), ['--image-param', name]).findings.join('');
      expect(findings).to.include(`error MPT036: --image-param ${name}: ${says}, and a name is one text.`);
      expect(findings).to.include(`Use one of: ${use}`);
    });

  it('a parameter with a dot in its name comes back, in the notation that Tekton has for it', () => {
    const [dotted, dottedArray] = ['{name: image.url}', '{name: my.tags, type: array}'];
    const url = made(task(dotted, '$(params["image.url"])'), ['--image-param', 'image.url']);
    expect(url.variables['MP_RESULT_IMAGE']).to.equal('$(params["image.url"])');
    const tags = made(task(dottedArray, '$(params["my.tags"][1])'), ['--image-param', 'my.tags[1]']);
    expect(tags.variables['MP_RESULT_IMAGE']).to.equal('$(params["my.tags"][1])');
    const whole = made(task(dottedArray, '$(params.X)'), ['--image-param', 'my.tags']);
    expect(whole.findings.join('')).to.include(`Use one of: '$(params["my.tags"][0])'`);
  });

  it('a key that the object does not have does not come back', () => {
    const { variables, findings } = made(task(object, '$(params.image.ref)'), ['--image-param', 'image.ref']);
    expect(variables['MP_RESULT_IMAGE']).to.equal('');
    expect(findings.join('')).to.include('MPT038');
  });
});

it('each notation of an element is read', () => {
  expect(imageParameters('$(params["my.tags"][2]) $(params.tags[0]) $(params.a.b)')).to.deep.equal([
    'my.tags[2]',
    'tags[0]',
    'a.b',
  ]);
  expect(imageReference('my.tags[2]').test(`-t $(params['my.tags'][2])`)).to.equal(true);
});

it('a Pipeline passes on parameters with a dot in their names in the notation that Tekton has for them', () => {
  const source = `apiVersion: tekton.dev/v1
kind: Task
metadata: {name: pack}
spec:
  params: [{name: PLATFORM}, {name: image.url}, {name: my.list, type: array}, {name: a.b, type: object, properties: {c: {}}}]
  results: [{name: IMAGE_REF}]
  steps: [{name: build, image: alpine, script: make}]`;
  const options = { platforms: ['linux/arm64'], name: undefined, select: undefined, imageParameter: 'image.url' };
  const { text } = generatePipeline(source, 'task.yaml', options);
  const [build, index] = list(fields(fields(parse(text ?? ''))['spec'])['tasks']);
  expect(list(build?.['params'])).to.deep.include.members([
    { name: 'image.url', value: '$(params["image.url"])' },
    { name: 'my.list', value: ['$(params["my.list"][*])'] },
    { name: 'a.b', value: '$(params["a.b"][*])' },
  ]);
  expect(list(index?.['params'])).to.deep.include({ name: 'IMAGE', value: '$(params["image.url"])' });
});

it('a name that is made of many long variables is read at once', function () {
  this.timeout(2000);
  const name = Array.from({ length: 9 }, (_, index) => `$A_LONG_VARIABLE_${index}`).join('/');
  const { findings } = made(`steps: [{name: build, image: buildah, script: "(buildah bud -t ${name};)"}]`);
  expect(findings.join('')).to.include('MPT033');
});

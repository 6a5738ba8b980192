// Which scripts can leave an image in container storage: one that might is asked for it, one that clearly cannot is not.

import { expect } from 'chai';
import { toolWithoutImage } from '../../taskgen/script-tools.ts';
import { made } from './small-task.ts';

const toolOf = (script: string) => toolWithoutImage(script, script);

describe('no image is expected of a script that', () => {
  for (const [script, tool] of [
    ['#!/bin/sh\nkustomize edit set image app="$(params.IMAGE)"\nkustomize build . > out.yaml\n', 'kustomize'],
    ['img build -t $(params.IMAGE) .', 'img'],
    ['pack build "$(params.IMAGE)" --builder example.com/builder', 'pack'],
    ['bazel build //app:image.tar\ncp bazel-bin/app/image.tar $(workspaces.source.path)/', 'bazel'],
    ['set -e\ncd src && sed -i "s|IMAGE|$(params.IMAGE)|" app.yaml 2>&1 | tee log', 'sed'],
    ['if ! /usr/bin/kubectl get pods; then exit 1; fi', 'kubectl'],
    ['VERSION=$(git describe) nix build .#image', 'git'],
    ['docker build -t $(params.IMAGE) .\n./after.sh', 'docker build'],
  ] as const)
    it(`says ${JSON.stringify(script)}`, () => expect(toolOf(script)).to.equal(tool));
});

describe('an image is expected of a script that', () => {
  for (const script of [
    './build.sh "$(params.IMAGE)"',
    'make image',
    'just image',
    'npm run image',
    'kustomize build .\n"$BUILDER" bud .',
    'kustomize build . | xargs ./build.sh',
    'bazel run //app:image',
    'nix run .#image',
    'find . -name build.sh -exec {} +',
    'sh -c "img build ."',
    '. ./functions\nimg build .',
    'eval "$COMMAND"; img build .',
    `echo "it's $X" ; ./build.sh 'x' && img build .`,
    "img build . # don't\n./build.sh 'x'",
    '"./build.sh" && img build .',
    'img build "$(./build.sh)"',
    'sh <<END\n./build.sh\nEND',
    '#!/usr/bin/env python3\nimport build',
    'img build . && buildah pull app',
    'skopeo copy docker-archive:a.tar containers-storage:$(params.IMAGE)',
  ])
    it(`says ${JSON.stringify(script)}`, () => expect(toolOf(script)).to.equal(undefined));
});

it('a Task whose tool leaves no image is told so, and none is asked for', () => {
  const task = (script: string) => `params: [{name: IMAGE}]\nsteps: [{name: build, image: alpine, script: ${script}}]`;
  const { variables, findings } = made(task('kustomize edit set image app=$(params.IMAGE)'));
  expect(variables).to.include({ MP_RESULT_IMAGE: '', MP_TRANSFER: 'none' });
  expect(findings.join('')).to.match(/note MPT033: .*"kustomize" leaves none/);
  const unsure = made(task('./build.sh $(params.IMAGE)'));
  expect(unsure.variables).to.include({ MP_RESULT_IMAGE: '$(params.IMAGE)', MP_TRANSFER: 'oci' });
  expect(unsure.findings.join('')).to.match(
    /warning MPT032: .*if the script builds none, the step ends with exit code 74/,
  );
});

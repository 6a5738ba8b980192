// What the build is told of its step's resources: the numbers of the source, not those of the step that connects.

import { expect } from 'chai';
import { made } from './small-task.ts';

const task = (reference: string, resources: string, template = '{}') => `stepTemplate: ${template}
steps:
  - name: build
    image: alpine
    script: make
    computeResources: ${resources}
    env:
      - name: TOLD
        valueFrom:
          resourceFieldRef: ${reference}`;

describe('a resource of the step that its environment names', () => {
  for (const [reference, resources, value] of [
    ['{resource: requests.cpu}', '{requests: {cpu: "4"}}', '4'],
    ['{resource: requests.cpu}', '{requests: {cpu: 1500m}}', '2'],
    ['{resource: requests.cpu, divisor: 1m}', '{requests: {cpu: "0.1"}}', '100'],
    ['{resource: requests.memory, divisor: 1Mi, containerName: step-build}', '{requests: {memory: 8Gi}}', '8192'],
    ['{resource: requests.memory}', '{limits: {memory: 1Ki}}', '1024'],
    ['{resource: limits.ephemeral-storage, divisor: 1G}', '{limits: {ephemeral-storage: 20Gi}}', '22'],
    ['{resource: limits.memory}', '{limits: {memory: 1Ti}}', '1099511627776'],
    ['{resource: limits.memory, divisor: "0"}', '{limits: {memory: 1k}}', '1000'],
  ] as const)
    it(`${reference} of ${resources} is ${value}`, () => {
      const { variables, findings, text } = made(task(reference, resources));
      expect(variables['TOLD']).to.equal(value);
      expect(findings.join('')).not.to.include('MPT118');
      // The local step has the resources of the source, but another name.
      expect(text.includes('resourceFieldRef')).to.equal(!reference.includes('containerName'));
    });

  it('comes from stepTemplate, too', () => {
    const template = '{computeResources: {requests: {cpu: "3"}}}';
    expect(made(task('{resource: requests.cpu}', '{}', template)).variables['TOLD']).to.equal('3');
  });

  for (const [why, reference, resources, template] of [
    ['a parameter decides', '{resource: requests.cpu}', '{requests: {cpu: $(params.cpu)}}', '{}'],
    ['the node decides', '{resource: limits.cpu}', '{requests: {cpu: "1"}}', '{}'],
  ] as const)
    it(`is a finding when ${why}`, () => {
      const { findings, text } = made(task(reference, resources, template));
      expect(findings.join('')).to.match(/warning MPT118: Variable "TOLD" is /);
      expect(text).to.include('resourceFieldRef');
    });

  it('is a finding when stepTemplate has the variable, which a step cannot unset', () => {
    const template = '{env: [{name: OTHER, valueFrom: {resourceFieldRef: {resource: requests.cpu}}}]}';
    const { findings } = made(task('{resource: requests.cpu}', '{requests: {cpu: "4"}}', template));
    expect(findings.join('')).to.match(/MPT118: Variable "OTHER"/);
  });

  it('stays where the step keeps its resources, or asks for none, or means another container', () => {
    for (const [resources, flags] of [
      ['{requests: {cpu: "4"}}', ['--runner-image', 'same']],
      ['{}', []],
    ] as const) {
      const { findings, text } = made(task('{resource: requests.cpu}', resources), flags);
      expect(findings.join('')).not.to.include('MPT118');
      expect(text).to.include('resourceFieldRef');
    }
    const other = made(task('{resource: requests.cpu, containerName: step-other}', '{requests: {cpu: "4"}}'));
    expect(other.findings.join('')).not.to.include('MPT118');
  });
});

describe('runAsGroup', () => {
  const context = (value: string) =>
    made(`steps: [{name: build, image: alpine, script: make, securityContext: ${value}}]`);
  it('without runAsUser is a finding', () =>
    expect(context('{runAsGroup: 3000}').findings.join('')).to.match(/warning MPT027: .*runAsGroup 3000/));
  it('with it is set on the host', () => {
    const { findings, variables } = context('{runAsUser: 0, runAsGroup: 3000}');
    expect(variables['MP_PODMAN_ARGS']).to.equal('--user=0:3000');
    expect(findings.join('')).not.to.include('MPT027');
  });
});

it('a resource of the step that another one names is not what it was, and a finding says so', () => {
  const other = (container: string) => `
  - name: after
    image: alpine
    script: echo "$TOLD"
    env: [{name: TOLD, valueFrom: {resourceFieldRef: {resource: requests.cpu, containerName: ${container}}}}]`;
  const found = (container: string) =>
    made(task('{resource: requests.cpu}', '{requests: {cpu: "4"}}') + other(container)).findings.join('');
  expect(found('step-build')).to.match(
    /warning MPT118: Variable "TOLD" of step "after" is requests\.cpu of step "build"/,
  );
  expect(found('step-after')).not.to.include('MPT118');
});

// What the remote step asks for: little, never more than the build did, nothing where the source asks for nothing.

import { expect } from 'chai';
import { readTask } from '../../taskgen/task-model.ts';
import { amountOf, wrapperResources } from '../../taskgen/wrapper-resources.ts';

function resourcesFor(resources: object | undefined, template: object = {}, apiVersion = 'tekton.dev/v1'): unknown {
  const key = apiVersion === 'tekton.dev/v1' ? 'computeResources' : 'resources';
  const own = resources === undefined ? {} : { [key]: resources };
  const task = readTask({ apiVersion, spec: { stepTemplate: template, steps: [{ name: 'build', ...own }] } });
  const [step] = task.steps;
  if (step === undefined) throw new Error('no step');
  return wrapperResources(task, step, { wrapperCpu: '250m', wrapperMemory: '256Mi' });
}

describe('resources of the remote step', () => {
  const small = { cpu: '250m', memory: '256Mi' };

  it('stay unset where the source sets none', () => expect(resourcesFor(undefined)).to.equal(undefined));

  it('are small where the build asks for much', () => {
    const expected = { key: 'computeResources', value: { limits: { memory: '8Gi' }, requests: small } };
    expect(resourcesFor({ requests: { cpu: '4', memory: '4Gi' }, limits: { memory: '8Gi' } })).to.deep.equal(expected);
  });

  it('are not more than what the build asks for, or is limited to', () => {
    const expected = {
      key: 'computeResources',
      value: { limits: { memory: '128Mi' }, requests: { cpu: '0.1', memory: '128Mi' } },
    };
    expect(resourcesFor({ requests: { cpu: '0.1' }, limits: { memory: '128Mi' } })).to.deep.equal(expected);
  });

  it('replace requests of stepTemplate, in the field that the version has', () => {
    const template = { resources: { requests: { memory: '1Gi' } } };
    expect(resourcesFor(undefined, template, 'tekton.dev/v1beta1')).to.deep.equal({
      key: 'resources',
      value: { requests: small },
    });
  });

  it('leave out limits of other resources, which would become requests', () => {
    const expected = { key: 'computeResources', value: { requests: small } };
    expect(resourcesFor({ limits: { 'ephemeral-storage': '10Gi' } })).to.deep.equal(expected);
  });

  for (const [quantity, amount] of [
    ['250m', 0.25],
    ['2', 2],
    ['1.5', 1.5],
    ['1Ki', 1024],
    ['1k', 1000],
    ['odd', Infinity],
  ] as const) {
    it(`read "${quantity}" as ${amount}`, () => expect(amountOf(quantity)).to.equal(amount));
  }
});

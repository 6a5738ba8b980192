// What a build asks for its host, and what it gets.
import { expect } from 'chai';
import { parseQuantity } from '../../../controller/model/quantity.ts';
import { wishedResources } from '../../../controller/taskruns/wished-resources.ts';
import { aTaskRun, claimOf, installation, type TaskRunBuilder } from '../../support/builders.ts';
import { launching } from '../../support/launched-builds.ts';
import { aPool } from '../../support/pool-builders.ts';
import { aProviderTask } from '../../support/provider-builders.ts';
import { launchTaskRun } from '../../../controller/taskruns/launch-task-run-manifest.ts';

const launch = ['CPU_REQUEST', 'MEMORY_REQUEST', 'CPU_LIMIT', 'MEMORY_LIMIT']
  .reduce((task, name) => task.withDefault(name), aProviderTask('launch-toy'))
  .build();
const bounds = { 'cpu-limit': '4', 'memory-limit': '8Gi' };
const pool = (settings: Readonly<Record<string, string>> = bounds): ReturnType<typeof aPool> =>
  aPool({ settings, provider: { ...aPool().provider, launch } });
const annotation = 'build.appstudio.redhat.com/host-resources';

describe('resources a build asks for its host', () => {
  const rows: readonly [string, Record<string, string>, Record<string, string>, Record<string, string>?][] = [
    ['within the limits', { LIMIT_CPU: '2', REQUEST_MEMORY: '1Gi' }, { CPU_LIMIT: '2', MEMORY_REQUEST: '1Gi' }],
    ['above them: the limits', { LIMIT_CPU: '64', LIMIT_MEMORY: '1Ti' }, { CPU_LIMIT: '4', MEMORY_LIMIT: '8Gi' }],
    ['just as much', { LIMIT_CPU: '4000m' }, { CPU_LIMIT: '4000m' }],
    ['where host-config sets no limit: nothing', { LIMIT_CPU: '2', LIMIT_MEMORY: '1Gi' }, {}, {}],
    ['no quantity: nothing', { LIMIT_CPU: 'lots', REQUEST_CPU: '-1', LIMIT_MEMORY: '1 Gi' }, {}],
    ['something else: nothing', { PRIVILEGED: 'true' }, {}],
  ];
  for (const [what, wished, granted, settings] of rows)
    it(what, () => expect(wishedResources(wished, pool(settings))).to.deep.equal(granted));

  it('nothing that the launch Task does not take', () => {
    expect(wishedResources({ LIMIT_CPU: '2' }, aPool({ settings: bounds }))).to.deep.equal({});
  });
});

describe('wishes of a build', () => {
  const build = (listed: string | undefined, ...params: readonly object[]): TaskRunBuilder =>
    aTaskRun()
      .forPlatform('linux/arm64')
      .with(({ metadata, spec }) => {
        if (listed !== undefined) metadata['annotations'] = { [annotation]: listed };
        spec['params'] = [{ name: 'PLATFORM', value: 'linux/arm64' }, ...params];
      });
  const cpu = { name: 'LIMIT_CPU', value: '2' };

  it('are those its Task lists', () => {
    expect(build('LIMIT_CPU, REQUEST_CPU', cpu).build().wishes).to.deep.equal({ LIMIT_CPU: '2' });
    expect(build('REQUEST_CPU', cpu).build()).to.not.have.property('wishes');
    expect(build(undefined, cpu).build()).to.not.have.property('wishes');
    expect(build('PLATFORM', cpu).build()).to.not.have.property('wishes');
  });

  it('may be defaults of the Task', () => {
    const defaults = build('LIMIT_CPU').with(({ status }) => {
      status['taskSpec'] = { ...Object(status['taskSpec']), params: [{ name: 'LIMIT_CPU', default: '3' }] };
    });
    expect(defaults.build().wishes).to.deep.equal({ LIMIT_CPU: '3' });
  });

  it('are short texts, or none', () => {
    for (const value of ['', 'x'.repeat(33), ['2'], { cpu: 2 }])
      expect(build('LIMIT_CPU', { name: 'LIMIT_CPU', value }).build()).to.not.have.property('wishes');
  });

  it('reach the launch TaskRun, in place of what host-config says', () => {
    const claimed = launching(build('LIMIT_CPU', cpu), pool()).build();
    const { facts, claim } = claimOf(claimed);
    const { params } = launchTaskRun(claimed, facts, claim, pool(), installation, claimed.wishes).spec;
    expect(params).to.deep.include({ name: 'CPU_LIMIT', value: '2' });
    expect(params).to.deep.include({ name: 'MEMORY_LIMIT', value: '8Gi' });
  });
});

describe('a quantity', () => {
  const rows: readonly [string, number | undefined][] = [
    ['0', 0],
    ['500m', 0.5],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['2k', 2000],
    ['1e3', undefined],
    ['Gi', undefined],
    ['1gi', undefined],
    ['', undefined],
  ];
  for (const [text, amount] of rows) it(`'${text}'`, () => expect(parseQuantity(text)).to.equal(amount));
});

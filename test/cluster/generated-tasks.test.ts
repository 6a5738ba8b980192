// Tekton itself takes everything that the generator makes: its admission webhook validates more than the definitions of its resources say.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { shared } from './shared-cluster.ts';
import { until } from './until.ts';

const root = join(import.meta.dirname, '../..');
const goldens = 'test/taskgen/golden';
const files = [
  'taskgen/sources/buildah.yaml',
  'tasks/build-image-index/task.yaml',
  'tasks/generated/buildah-remote.yaml',
  'tasks/generated/buildah-multi-platform.yaml',
  ...readdirSync(join(root, goldens))
    .map((name) => `${goldens}/${name}/expected.yaml`)
    .filter((file) => existsSync(join(root, file))),
];

/** Goldens with anchors have a place for them, which only the strictest validation minds. */
const create = (text: string) => [
  'create',
  '--dry-run=server',
  '-n',
  'default',
  '-f',
  '-',
  `--validate=${/^x-/m.test(text) ? 'ignore' : 'strict'}`,
];

/** What the Tasks of some cases use, and Tekton takes on demand only. */
const young = { 'enable-api-fields': 'alpha', 'enable-artifacts': 'true' };

async function setFeatures(features: Readonly<Record<string, string>>): Promise<void> {
  const { kubectl } = shared().cluster;
  const patch = JSON.stringify({ data: features });
  await kubectl.run(['patch', 'configmap', 'feature-flags', '-n', 'tekton-pipelines', '--type=merge', '-p', patch]);
}

describe("Tekton's own validation", function () {
  this.timeout(60_000);
  let usual: Record<string, string> = {};

  before(async () => {
    const { kubectl } = shared().cluster;
    const found = await kubectl.run(['get', 'configmap', 'feature-flags', '-n', 'tekton-pipelines', '-o', 'json']);
    const { data }: { data: Record<string, string> } = JSON.parse(found);
    usual = Object.fromEntries(Object.keys(young).map((name) => [name, data[name] ?? '']));
    await setFeatures(young);
    // The webhook reads it a moment later.
    const needy = readFileSync(join(root, goldens, 'artifacts/expected.yaml'), 'utf8');
    await until(
      async () => kubectl.run(create(needy), needy).catch(() => undefined),
      () => 'Tekton does not take up its feature flags',
    );
  });
  after(async () => setFeatures(usual));

  for (const file of files) {
    it(`takes ${file}`, async () => {
      const text = readFileSync(join(root, file), 'utf8');
      const answer = await shared().cluster.kubectl.run(create(text), text);
      expect(answer).to.match(/^(?:task|pipeline)\.tekton\.dev\/\S+ created \(server dry run\)$/m);
    });
  }

  it('refuses a script that uses a parameter nobody declared, so that the tests above mean something', async () => {
    const steps = [{ name: 'build', image: 'alpine', script: 'echo $(params.missing)' }];
    const task = { apiVersion: 'tekton.dev/v1', kind: 'Task', metadata: { name: 'odd' }, spec: { steps } };
    const refusal = await shared()
      .cluster.kubectl.run(create(''), JSON.stringify(task))
      .catch((error: unknown) => String(error));
    expect(refusal).to.include('params.missing');
  });
});

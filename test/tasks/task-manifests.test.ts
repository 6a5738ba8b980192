// What the Tasks say, without running them: accepted by Tekton's own schema, safe by their security context, complete in their scripts.
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { startApiServer, type ApiServer } from '../support/api-server.ts';

const tasksFolder = join(import.meta.dirname, '../../tasks');
const read = (path: string): string => readFileSync(join(tasksFolder, path), 'utf8');

interface TaskYaml {
  readonly metadata: { readonly name: string; readonly labels: object; readonly annotations: object };
  readonly spec: {
    readonly params: readonly { readonly name: string; readonly default?: string }[];
    readonly results: readonly { readonly name: string }[];
    readonly stepTemplate: { readonly securityContext: object; readonly computeResources: object };
    readonly steps: readonly {
      readonly command: readonly string[];
      readonly script?: string;
      readonly env: readonly { readonly name: string; readonly value: string }[];
    }[];
    readonly volumes: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
  };
}

const kustomization: { configMapGenerator: { name: string; files: string[] }[] } = parse(read('kustomization.yaml'));
const [build, older] = [
  ['SECRET_NAME', 'TASKRUN_NAME', 'NAMESPACE', 'HOST', 'USER'],
  ['TASKRUN_UID', 'ATTEMPT'],
];
const reasons = ['REASON', 'MESSAGE'];
const tasks = [
  {
    name: 'provision-shared-host',
    required: build,
    optional: ['SUDO_COMMANDS', 'RAW_PLATFORM', 'INSTANCE_TAG', ...older],
    results: ['REASON', 'MESSAGE', 'ONE_TIME_KEY'],
  },
  { name: 'clean-shared-host', required: build, optional: older, results: reasons },
  { name: 'update-host', required: ['HOST', 'USER'], optional: ['PLATFORM', 'CONCURRENCY'], results: reasons },
];

describe('Tasks for shared hosts', function () {
  this.timeout(60_000);
  let server: ApiServer;
  before(async () => {
    server = await startApiServer();
    await server.createNamespace('operator');
  });
  after(() => server.stop());

  for (const { name, required, optional, results } of tasks) {
    describe(name, () => {
      const task: TaskYaml = parse(read(`${name}/task.yaml`));
      const step = task.spec.steps[0]!;
      const files = kustomization.configMapGenerator.find((it) => it.name === `${name}-script`)?.files ?? [];
      const scripts = new Map(files.map((path) => [basename(path), read(path)]));

      it('is accepted by the API server, and so is its ConfigMap', async () => {
        expect(task.metadata.name).to.equal(name);
        await server.ask('POST', '/apis/tekton.dev/v1/namespaces/operator/tasks?fieldValidation=Strict', task);
        const configMap = { metadata: { name: `${name}-script` }, data: Object.fromEntries(scripts) };
        await server.ask('POST', '/api/v1/namespaces/operator/configmaps', configMap);
      });

      it('needs the params of every controller, and has defaults for the others', () => {
        const names = (withDefault: boolean): string[] =>
          task.spec.params.filter((param) => (param.default !== undefined) === withDefault).map((param) => param.name);
        expect(names(false)).to.have.members(required);
        expect(names(true)).to.have.members(optional);
        expect(task.spec.results.map((result) => result.name)).to.deep.equal(results);
      });

      it('hands params over as environment only', () => {
        for (const { name: param } of task.spec.params) {
          expect(step.env).to.deep.include({ name: param, value: `$(params.${param})` });
        }
        expect(step.script).to.equal(undefined);
        expect(step.command).to.deep.equal(['bash', `/scripts/${name}.sh`]);
        expect(JSON.stringify([step.command, [...scripts.values()]])).not.to.contain('$(params.');
      });

      it('carries every script that its scripts use', () => {
        expect(task.spec.volumes).to.deep.include({ name: 'scripts', configMap: { name: `${name}-script` } });
        const used = [...scripts.values()].flatMap((text) => [
          ...text.matchAll(/(?:\$scripts|BASH_SOURCE\[0\]%\/\*\})\/([a-z-]+\.sh)/g),
        ]);
        expect([...new Set(used.map((match) => match[1])), `${name}.sh`]).to.have.members([...scripts.keys()]);
      });

      it('runs without any privilege', () => {
        expect(task.spec.stepTemplate.securityContext).to.deep.equal({
          runAsNonRoot: true,
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          seccompProfile: { type: 'RuntimeDefault' },
        });
      });
    });
  }
});

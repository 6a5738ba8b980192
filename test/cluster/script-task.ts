// Installs the Task of script-task.yaml as taskgen makes it remote: `script-remote`.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { shared } from './shared-cluster.ts';

export async function installScriptTask(namespace: string): Promise<void> {
  const generator = join(import.meta.dirname, '../../taskgen/main.ts');
  const source = join(import.meta.dirname, 'script-task.yaml');
  const runner = 'localhost/multi-platform-runner:dev';
  const task = execFileSync(process.execPath, [generator, '--runner-image', runner, '--transfer', 'none', source], {
    encoding: 'utf8',
  });
  await shared().cluster.kubectl.apply(task, '-n', namespace);
}

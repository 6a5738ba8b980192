// A registry in the machine of the test that lets in nobody without a password, and the credential for it.
import { expect } from 'chai';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from './world.ts';

export const registry = '127.0.0.1:5000';
export const password = 's3cret-word';
export const auth = Buffer.from(`builder:${password}`).toString('base64');
export const credential = JSON.stringify({ auths: { [registry]: { auth } } });

export async function startGuardedRegistry(world: World): Promise<void> {
  const config = `
version: 0.1
storage: {filesystem: {rootdirectory: /tmp/registry/data}}
auth: {htpasswd: {realm: tests, path: /tmp/registry/users}}
http: {addr: "${registry}"}
`;
  const insecure = `[[registry]]\\nlocation = "${registry}"\\ninsecure = true\\n`;
  const prepared =
    await world.run(`mkdir -p /tmp/registry/data /etc/containers/registries.conf.d && chmod 700 /tmp/registry
    perl -e 'print "builder:", crypt("${password}", "\\$2b\\$05\\$abcdefghijklmnopqrstuu"), "\\n"' >/tmp/registry/users
    printf '${insecure}' >/etc/containers/registries.conf.d/tests.conf`);
  expect(prepared.code, prepared.stderr).to.equal(0);
  writeFileSync(join(world.root, 'tmp/registry/config.yaml'), config);
  const server = world.spawn(['docker-registry', 'serve', '/tmp/registry/config.yaml']);
  await once(server.stderr!, 'data');
  const answers = await world.run(
    'for n in $(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/5000) 2>/dev/null && exit; sleep 0.1; done; exit 1',
  );
  expect(answers.code, answers.stderr).to.equal(0);
}

/** Whatever of the password is in a file, an argument or a variable of somebody on this machine, but for the registry's own. */
export async function tracesOfPassword(world: World): Promise<string> {
  const words = [password, auth, Buffer.from(credential).toString('base64').slice(0, 40)];
  // In a file: the words must not be arguments of the search itself.
  writeFileSync(join(world.root, 'tmp/registry/words'), `${words.join('\n')}\n`);
  const files = `grep -rlFf /tmp/registry/words /home /run/user /run/containers /run/lock /var/tmp /dev/shm /tmp/podman* 2>/dev/null`;
  const processes = 'grep -lFf /tmp/registry/words /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null';
  return (await world.run(`${files}; ${processes}; true`)).stdout;
}

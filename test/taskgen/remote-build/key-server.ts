// A https server in the machine of the tests that hands out the private key, with scripted answers: the last one repeats.
// Real TLS with a certificate of its own; knows nothing of tokens beyond writing them down.
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from './world.ts';

export interface KeyServer {
  readonly ca: string;
  readonly port: number;
  /** What it was asked with so far. */
  bodies(): string[];
  close(): Promise<void>;
}

let servers = 0;

export async function startKeyServer(world: World, answers: readonly number[]): Promise<KeyServer> {
  const folder = `/tmp/key-server-${++servers}`;
  const port = 8443 + servers;
  const subject = '-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1';
  const made = await world.run(
    `mkdir ${folder} && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 ${subject} -keyout ${folder}/key -out ${folder}/crt`,
  );
  if (made.code !== 0) throw new Error(made.stderr);
  writeFileSync(join(world.root, folder, 'server.mjs'), program);
  writeFileSync(join(world.root, folder, 'bodies'), '');
  const child = world.spawn([process.execPath, join(folder, 'server.mjs'), folder, String(port), answers.join(',')]);
  await once(child.stdout!, 'data');
  const exited = once(child, 'exit');
  return {
    ca: readFileSync(join(world.root, folder, 'crt'), 'utf8'),
    port,
    bodies: () =>
      readFileSync(join(world.root, folder, 'bodies'), 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    async close() {
      await world.run(`kill "$(cat ${folder}/pid)"`);
      await exited;
    },
  };
}

const program = `
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
const [folder, port, list] = process.argv.slice(2);
const answers = list.split(',').map(Number);
const key = readFileSync('/tmp/sshd/client', 'utf8').trimEnd();
writeFileSync(folder + '/pid', String(process.pid));
createServer({ key: readFileSync(folder + '/key'), cert: readFileSync(folder + '/crt') }, async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  appendFileSync(folder + '/bodies', body + '\\n');
  response.statusCode = answers.length > 1 ? answers.shift() : answers[0];
  response.end(response.statusCode === 200 ? key : '');
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
`;

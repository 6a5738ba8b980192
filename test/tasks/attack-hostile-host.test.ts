// Hosts that try to keep a provision for ever, to fill its pod, or to put something into the build's Secret: each is ended in
// bounded time, with a reason.
import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { ProviderLab } from './provider-lab.ts';
import type { TaskOutcome } from './run-task.ts';

describe('attack: a host that does not behave', function () {
  this.timeout(120_000);
  let lab: ProviderLab;
  before(async () => {
    lab = await ProviderLab.start();
    lab.host.read(
      "sed -i '1iListenAddress 127.0.0.1' /etc/ssh/sshd_config && kill -HUP $(cat /run/sshd.pid) && while ss -ltn | grep -q '0.0.0.0:22'; do sleep 0.1; done",
    );
  });
  after(() => lab.stop());

  /** Runs a server instead of sshd, of which `onConnection` is the body of a function of `socket`. */
  async function provisionAt(onConnection: string): Promise<TaskOutcome> {
    const serve = `require('net').createServer((socket) => { socket.on('error', () => {}); ${onConnection} })
      .listen(22, '10.99.0.1', () => console.log('ready'))`;
    const server = spawn('nsenter', [...lab.host.network, process.execPath, '-e', serve], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => server.stdout.once('data', resolve));
    try {
      return await lab.provision(lab.aBuild({ HOST: '10.99.0.1' }), { env: { HOST_TIMEOUT: '3' } });
    } finally {
      await ended(server);
    }
  }

  async function ended(process: ChildProcess): Promise<void> {
    const gone = new Promise((resolve) => process.once('exit', resolve));
    process.kill('SIGKILL');
    await gone;
  }

  const servers: readonly [string, string, string][] = [
    ['a byte of its banner now and then', "setInterval(() => socket.write('S'), 300)", 'HostTimeout'],
    ['a banner and then nothing', "socket.write('SSH-2.0-x\\r\\n')", 'HostTimeout'],
    [
      'one line of a banner without an end',
      "const more = () => { while (socket.write('a'.repeat(65536))); }; socket.on('drain', more); more()",
      'HostUnreachable',
    ],
    [
      'lines before its banner for ever',
      "const more = () => { while (socket.write('please wait\\r\\n'.repeat(1000))); }; socket.on('drain', more); more()",
      'HostUnreachable',
    ],
    ['noise where the keys are exchanged', "socket.write('SSH-2.0-x\\r\\n' + 'x'.repeat(9999))", 'HostUnreachable'],
    ['a terminal sequence for its banner', "socket.write('\\x1b[2J\\x1b]0;pwned\\x07\\r\\n')", 'HostTimeout'],
  ];
  for (const [what, onConnection, reason] of servers) {
    it(`says ${what}: ${reason}`, async () => {
      const { code, results, log } = await provisionAt(onConnection);
      expect(code).to.equal(1);
      expect(log).to.match(steersNoTerminal);
      expect(results['REASON'], results['MESSAGE']).to.equal(reason);
      expect(results['MESSAGE']).to.match(/^[\x20-\x7e]{1,700}$/);
    });
  }

  /** The script runs on a host whose sh is this one. */
  async function provisionWithShell(script: string): Promise<TaskOutcome> {
    lab.host.read(`printf '%s\\n' '#!/bin/bash' ${quoted(script)} >/usr/local/bin/evil; chmod 755 /usr/local/bin/evil
      sed -i 's|^|command="/usr/local/bin/evil" |' /root/.ssh/authorized_keys`);
    try {
      return await lab.provision(lab.aBuild(), { env: { HOST_TIMEOUT: '5' } });
    } finally {
      lab.host.read(`sed -i 's|^command="[^"]*" ||' /root/.ssh/authorized_keys; rm /usr/local/bin/evil`);
    }
  }

  const shells: readonly [string, string, string, RegExp][] = [
    ['answers without end', 'echo step x; exec yes', 'HostScriptFailed', /says more than 4 MiB, at: x$/],
    ['complains without end', 'echo step x; exec yes >&2', 'HostScriptFailed', /says more than 4 MiB, at: x$/],
    ['never ends', 'echo step x; sleep 1000', 'HostTimeout', /no end after 5 s, at: x$/],
    ['says what runs in the build', "echo 'home /x$(id)'", 'HostScriptFailed', /which is no usable path$/],
    [
      'clears the screen of who reads the log',
      "printf 'step x\\n\\033[2J\\033]0;pwned\\007\\r\\302\\2332J\\302\\302\\233\\2332J\\342\\200\\256gnp.exe' | tee /dev/stderr; exit 1",
      'HostScriptFailed',
      /exit code 1 at: x/,
    ],
    ['says many homes', 'yes home /x | head -n 50', 'HostScriptFailed', /which is no usable path$/],
    [
      'fails with a book, line feeds and colours',
      `printf 'fail Rude \\033[31m'; yes long | head -c 100000 | tr '\\n' ' '; exit 1`,
      'Rude',
      /^root@127\.0\.0\.1: [\x20-\x7e]{600,700}$/,
    ],
  ];
  for (const [what, script, reason, message] of shells) {
    it(`its account ${what}: ${reason}, and no Secret`, async () => {
      const { code, results, log } = await provisionWithShell(script);
      expect(code).to.equal(1);
      expect(log).to.match(steersNoTerminal);
      expect(results['REASON'], results['MESSAGE']).to.equal(reason);
      expect(results['MESSAGE']).to.match(message);
      expect((results['MESSAGE'] ?? '').length).to.be.at.most(700);
    });
  }
});

// oxlint-disable-next-line no-control-regex
const steersNoTerminal = /^[^\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]*$/;

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

// Static build hosts for tests: a privileged pod with sshd, podman, rsync and sudo, and the Secret with its key in the operator's namespace.
// An arm64 host is played: its own programs are amd64, `uname -m` says aarch64, podman chooses arm64 images, and what is in those runs through qemu.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kubectl } from './kubectl.ts';

export interface Host {
  readonly name: string;
  /** As pods of the cluster reach it, port 22. */
  readonly address: string;
  readonly user: 'root';
  /** In the operator's namespace, with the key of `user` (id_rsa) and the host's own (known_hosts). */
  readonly secretName: string;
  /** What a shell on the host says; an Error when it fails. */
  run(script: string): Promise<string>;
  stop(): Promise<void>;
}

export interface HostOptions {
  readonly arch?: 'amd64' | 'arm64';
  readonly operatorNamespace?: string;
  readonly image?: string;
}

const hostsNamespace = 'test-hosts';

interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

function makeKeyPair(comment: string): KeyPair {
  const folder = mkdtempSync(join(tmpdir(), 'test-host-'));
  try {
    const file = join(folder, 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file]);
    return { privateKey: readFileSync(file, 'utf8'), publicKey: readFileSync(`${file}.pub`, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function hostManifests(name: string, options: HostOptions, client: KeyPair, host: KeyPair): object[] {
  const metadata = { name, namespace: hostsNamespace, labels: { 'test-host': name } };
  const machine = options.arch === 'arm64' ? [{ name: 'MACHINE', value: 'aarch64' }] : [];
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: hostsNamespace } },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata,
      stringData: { authorized_keys: client.publicKey, host_key: host.privateKey },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'host',
            image: options.image ?? 'localhost/ssh-host:1',
            imagePullPolicy: 'IfNotPresent',
            env: machine,
            securityContext: { privileged: true },
            readinessProbe: { tcpSocket: { port: 22 }, periodSeconds: 1 },
            // Overlay on overlay is refused: images and homes, where rootless podman keeps its own, go on the node's file system.
            volumeMounts: [
              { name: 'keys', mountPath: '/keys', readOnly: true },
              { name: 'containers', mountPath: '/var/lib/containers' },
              { name: 'home', mountPath: '/home' },
            ],
          },
        ],
        volumes: [
          { name: 'keys', secret: { secretName: name, defaultMode: 0o400 } },
          { name: 'containers', emptyDir: {} },
          { name: 'home', emptyDir: {} },
        ],
      },
    },
  ];
}

/** Returns when sshd answers. Names are unique per cluster; several hosts side by side are fine. */
export async function startHost(kubectl: Kubectl, name: string, options: HostOptions = {}): Promise<Host> {
  const namespace = options.operatorNamespace ?? 'multi-platform-controller';
  const secretName = `${name}-ssh-key`;
  const [client, server] = [makeKeyPair('tests'), makeKeyPair(name)];
  await kubectl.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...hostManifests(name, options, client, server),
  ]);
  const inHosts = ['-n', hostsNamespace];
  await kubectl.run(['wait', ...inHosts, '--for=condition=Ready', `pod/${name}`, '--timeout=120s']);
  const address = (await kubectl.run(['get', 'pod', name, ...inHosts, '-o', 'jsonpath={.status.podIP}'])).trim();
  await kubectl.apply([
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: secretName,
        namespace,
        labels: { 'build.appstudio.redhat.com/multi-platform-secret': 'true' },
      },
      type: 'Opaque',
      stringData: { id_rsa: client.privateKey, known_hosts: `${address} ${server.publicKey}` },
    },
  ]);
  return {
    name,
    address,
    user: 'root',
    secretName,
    run: (script) => kubectl.run(['exec', name, ...inHosts, '--', 'bash', '-c', script]),
    stop: async () => {
      await kubectl.run(['delete', `pod/${name}`, `secret/${name}`, ...inHosts, '--ignore-not-found', '--wait']);
      await kubectl.run(['delete', `secret/${secretName}`, '-n', namespace, '--ignore-not-found']);
    },
  };
}

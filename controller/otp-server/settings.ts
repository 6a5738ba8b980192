// Flags and environment of the key server, read once. The defaults are what deploy/otp runs with.
import { Command, InvalidArgumentError, Option } from 'commander';

export interface OtpSettings {
  readonly kubeconfig: string | undefined;
  readonly namespace: string | undefined;
  readonly listenAddress: string;
  readonly storeListenAddress: string;
  readonly metricsBindAddress: string;
  readonly metricsSecure: boolean;
  readonly healthProbeBindAddress: string;
  readonly tlsFolder: string;
  readonly makeCertificate: boolean;
  readonly encryptionKeysFolder: string;
  readonly provisionServiceAccount: string;
  readonly allowUnauthenticatedStoreKey: boolean;
  /** Milliseconds. */
  readonly keepKeys: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerSource: number;
  readonly maxRequestsPerSecond: number;
  readonly maxRequestsPerSecondAndSource: number;
  /** Milliseconds between the request to stop and the last connection taken. */
  readonly stopDelay: number;
  readonly logLevel: string;
}

type Flags = Omit<OtpSettings, 'namespace'>;

/** Reads `arguments` (without node and script). Prints and exits on --help and on a flag it does not know. */
export function readOtpSettings(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): OtpSettings {
  const given = flags().parse(args, { from: 'user' }).opts<Flags>();
  return { ...given, kubeconfig: given.kubeconfig, namespace: environment['POD_NAMESPACE'] || undefined };
}

function flags(): Command {
  return new Command('multi-platform-otp-server')
    .description('Keeps the private key of a build until the build exchanges its one-time token for it.')
    .option('--kubeconfig <file>', 'cluster to work on (default: KUBECONFIG, ~/.kube/config, or the pod it runs in)')
    .option('--listen-address <address>', 'where keys are handed over, and may be stored', ':8443')
    .option('--store-listen-address <address>', 'where keys are stored and nothing else, 0 for nowhere', ':8444')
    .option('--metrics-bind-address <address>', 'where metrics are served, 0 for nowhere', ':9443')
    .addOption(truth('--metrics-secure [bool]', 'serve metrics by HTTPS; a token is asked for either way', true))
    .option('--health-probe-bind-address <address>', 'where /healthz and /readyz are served', ':8081')
    .option('--tls-folder <folder>', 'certificate: tls.crt and tls.key, read again when they change', '/tls')
    .addOption(truth('--make-certificate [bool]', 'make Secret otp-tls-secrets when nothing is mounted', false))
    .option('--encryption-keys-folder <folder>', 'keys key-1, key-2, …: the highest encrypts', '/encryption-keys')
    .option('--provision-service-account <name>', 'who may store keys', 'multi-platform-provision')
    .addOption(truth('--allow-unauthenticated-store-key [bool]', 'let anybody store keys, as older scripts do', false))
    .addOption(time('--keep-keys <time>', 'a key nobody released is good for so long', '24h'))
    .option('--max-connections <number>', 'connections at once', positiveInteger, 1024)
    .option('--max-connections-per-source <number>', 'connections at once of one address', positiveInteger, 128)
    .option('--max-requests-per-second <number>', 'requests of all; ten times as many in a burst', positiveInteger, 200)
    .option('--max-requests-per-second-and-source <number>', 'requests of one address', positiveInteger, 20)
    .addOption(time('--stop-delay <time>', 'go on for so long when asked to stop', '3s'))
    .option('--log-level <level>', 'error, warn, info or debug', 'info')
    .helpOption('-h, --help', 'print this')
    .showHelpAfterError('(--help lists the flags)');
}

/** `--flag`, `--flag=true`, `--flag=false`. */
function truth(name: string, description: string, byDefault: boolean): Option {
  return new Option(name, description).default(byDefault).argParser((value: string | boolean) => {
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    throw new InvalidArgumentError(`'${value}' is neither true nor false.`);
  });
}

function positiveInteger(value: string): number {
  if (/^[1-9][0-9]{0,5}$/.test(value)) return Number(value);
  throw new InvalidArgumentError(`'${value}' is not a number of 1 or more.`);
}

/** `24h`, `90m`, `30s`, `500ms`. */
function time(name: string, description: string, byDefault: string): Option {
  return new Option(name, description).default(milliseconds(byDefault), byDefault).argParser(milliseconds);
}

function milliseconds(value: string): number {
  const parts = /^(?<number>[0-9]{1,6})(?<unit>ms|s|m|h)$/.exec(value)?.groups;
  const factor = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[parts?.['unit'] ?? ''];
  if (factor === undefined) throw new InvalidArgumentError(`'${value}' is not a time such as 24h, 90m or 30s.`);
  return Number(parts?.['number']) * factor;
}

// Flags and environment of the controller, read once. Names and defaults of flags are API: deployments set them.
import { Command, InvalidArgumentError, Option } from 'commander';
import type { KeepTimes } from './lease/timeouts.ts';
import { hour, minute, second, type Duration } from './model/instant.ts';

export interface Settings {
  readonly kubeconfig: string | undefined;
  /** Namespace of host-config, ssh Secrets, and TaskRuns of ours. Undefined: that of the kubeconfig's context. */
  readonly namespace: string | undefined;
  /** Who holds the leader Lease: the pod's uid in a cluster, so that a restarted container takes its own back. */
  readonly identity: string | undefined;
  readonly leaderElect: boolean;
  readonly metricsBindAddress: string;
  readonly metricsSecure: boolean;
  readonly healthProbeBindAddress: string;
  readonly logLevel: string;
  /** Builds looked at at once. */
  readonly concurrentReconciles: number;
  readonly keep: KeepTimes;
  /** Give every host back and end, instead of serving builds. */
  readonly drain: { readonly patience: Duration; readonly timeout: Duration } | undefined;
}

interface Flags {
  readonly kubeconfig?: string;
  readonly leaderElect: boolean;
  readonly metricsBindAddress: string;
  readonly metricsSecure: boolean;
  readonly healthProbeBindAddress: string;
  readonly logLevel?: string;
  readonly zapLogLevel?: string;
  readonly concurrentReconciles: number;
  readonly keepFailedTaskruns: Duration;
  readonly keepUpdateTaskruns: Duration;
  readonly drain?: boolean;
  readonly drainPatience: Duration;
  readonly drainTimeout: Duration;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads `arguments` (without node and script). Prints and exits on --help and on a flag it does not know. */
export function readSettings(args: readonly string[], environment: Environment): Settings {
  const command = flags().parse(args.map(twoDashes), { from: 'user' });
  const given = command.opts<Flags>();
  return {
    kubeconfig: given.kubeconfig,
    namespace: environment['POD_NAMESPACE'] || undefined,
    identity: environment['POD_UID'] || undefined,
    leaderElect: given.leaderElect,
    metricsBindAddress: given.metricsBindAddress,
    metricsSecure: given.metricsSecure,
    healthProbeBindAddress: given.healthProbeBindAddress,
    logLevel: given.logLevel ?? given.zapLogLevel ?? 'info',
    concurrentReconciles: given.concurrentReconciles,
    keep: { failed: given.keepFailedTaskruns, update: given.keepUpdateTaskruns },
    drain: given.drain ? { patience: given.drainPatience, timeout: given.drainTimeout } : undefined,
  };
}

/** Go programs take `-leader-elect=false`, too, and manifests write it so. */
function twoDashes(argument: string): string {
  return argument.replace(/^-(?=[a-z]{2})/, '--');
}

function flags(): Command {
  const ignored = (name: string): Option => new Option(name, 'accepted and ignored').hideHelp();
  return new Command('multi-platform-controller')
    .description('Gives TaskRuns that name a PLATFORM an SSH build host of that platform.')
    .option('--kubeconfig <file>', 'cluster to work on (default: KUBECONFIG, ~/.kube/config, or the pod it runs in)')
    .option('--metrics-bind-address <address>', 'where metrics are served, 0 for nowhere', ':8080')
    .addOption(
      truth('--metrics-secure [bool]', 'serve metrics by HTTPS; false: by HTTP. A token is asked for either way', true),
    )
    .option('--health-probe-bind-address <address>', 'where /healthz and /readyz are served', ':8081')
    .addOption(truth('--leader-elect [bool]', 'act only while holding the leader Lease', true))
    .option('--concurrent-reconciles <number>', 'builds looked at at once', positiveInteger, 32)
    .addOption(time('--keep-failed-taskruns <time>', 'how long failed TaskRuns of ours are kept', '1h'))
    .addOption(time('--keep-update-taskruns <time>', 'how long update TaskRuns are kept', '24h'))
    .option('--drain', 'give every host back, take our finalizers off, and end: before an uninstall')
    .addOption(time('--drain-patience <time>', 'with --drain: how long builds that run may go on', '0s'))
    .addOption(time('--drain-timeout <time>', 'with --drain: how long hosts may take to be cleaned', '10m'))
    .option('--log-level <level>', 'error, warn, info or debug (default: info)')
    .addOption(new Option('--zap-log-level <level>', 'same as --log-level').hideHelp())
    .addOption(ignored('--zap-encoder <encoder>'))
    .addOption(ignored('--zap-devel [bool]'))
    .addOption(ignored('--zap-stacktrace-level <level>'))
    .addOption(ignored('--zap-time-encoding <encoding>'))
    .addOption(ignored('--api-export-name <name>'))
    .addOption(ignored('-v, --v <level>'))
    .helpOption('-h, --help', 'print this')
    .showHelpAfterError('(--help lists the flags)');
}

/** `30s`, `15m`, `1h`, `2d`. */
function time(name: string, description: string, byDefault: string): Option {
  return new Option(name, description).default(parseTime(byDefault), byDefault).argParser(parseTime);
}

const units: Readonly<Record<string, Duration>> = { s: second, m: minute, h: hour, d: 24 * hour };

function parseTime(value: string): Duration {
  const [, number, unit = ''] = /^([0-9]{1,6})([smhd])$/.exec(value) ?? [];
  const size = units[unit];
  if (number !== undefined && size !== undefined) return Number(number) * size;
  throw new InvalidArgumentError(`'${value}' is no time: write a number and s, m, h or d, as in 90m.`);
}

/** `--flag`, `--flag=true`, `--flag=false`. */
function truth(name: string, description: string, byDefault: boolean): Option {
  return new Option(name, description).default(byDefault).argParser(parseTruth);
}

function parseTruth(value: string | boolean): boolean {
  if (typeof value === 'boolean') return value;
  if (['true', '1', 't'].includes(value.toLowerCase())) return true;
  if (['false', '0', 'f'].includes(value.toLowerCase())) return false;
  throw new InvalidArgumentError(`'${value}' is neither true nor false.`);
}

function positiveInteger(value: string): number {
  if (/^[1-9][0-9]{0,5}$/.test(value)) return Number(value);
  throw new InvalidArgumentError(`'${value}' is not a number of 1 or more.`);
}

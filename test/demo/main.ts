// `npm run demo`: the main job for real. A cluster, a build host, a remote build of a small program, its image pushed and
// run, and a timeline of where the time went. Decides the order; everything it uses is also what the tests use.
import { Command } from 'commander';
import { installProduct, untilReady } from '../cluster/product.ts';
import { multiArchBuild, prepareArm64Host, untilPodsAreGone } from './multi-arch.ts';
import { contextPlace, ownCluster, removeOwnCluster, type Place } from './place.ts';
import { say, stage } from './progress.ts';
import { checkClean, prepareHost, remoteBuild, runImage } from './remote-build.ts';
import { formatTimeline } from './timeline.ts';

interface Flags {
  readonly keep?: boolean;
  readonly down?: boolean;
  readonly context?: string | boolean;
  readonly registry?: string;
  readonly multiArch?: boolean;
}

const flags = new Command('npm run demo --')
  .description('Runs a real remote build, on a cluster of its own or on the cluster of a kubeconfig context.')
  .option('--keep', 'leave everything up, and print how to use it')
  .option('--down', 'remove what --keep left up')
  .option(
    '--context [name]',
    'use this kubeconfig context (without a name: the current one) instead of a cluster of its own',
  )
  .option(
    '--registry <reference>',
    'with --context: registry and path this machine pushes to and the cluster pulls from',
  )
  .option('--multi-arch', 'one image for linux/amd64 and linux/arm64 from one run, on a cluster of its own')
  .parse()
  .opts<Flags>();

if (flags.down) {
  removeOwnCluster();
} else {
  process.exitCode = await demo();
}

async function demo(): Promise<number> {
  let place: Place | undefined;
  try {
    place = await stage('cluster', () => choosePlace());
    await (flags.multiArch ? showMultiArch(place) : show(place));
    if (flags.keep) console.log(`\nEverything is still up. To go on by hand:\n${place.hint}`);
    return 0;
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    if (!flags.keep) await place?.end();
  }
}

async function choosePlace(): Promise<Place> {
  if (flags.multiArch && flags.context !== undefined)
    throw new Error('--multi-arch plays an arm64 host, which only the cluster of its own can; leave out --context');
  if (flags.context === undefined && process.platform === 'linux' && process.getuid?.() === 0)
    return ownCluster(flags.keep ?? false);
  if (flags.context === undefined && flags.registry === undefined) {
    throw new Error(
      'a cluster of its own needs Linux and root: run this as root, or use a cluster you have: npm run demo -- --context NAME --registry REGISTRY/PATH',
    );
  }
  if (flags.registry === undefined) {
    throw new Error(
      '--registry is missing: name a registry and path this machine may push to and the cluster may pull from, as --registry registry.example.com/demo',
    );
  }
  return contextPlace({
    context: typeof flags.context === 'string' ? flags.context : undefined,
    registry: flags.registry,
  });
}

async function show(place: Place): Promise<void> {
  const { kubectl, images } = place;
  await stage('install the controller and its Tasks', () => installProduct(kubectl, images));
  const host = await stage('start a build host (a pod with sshd)', () => prepareHost(place));
  await stage('controller ready', () => untilReady(kubectl));
  say(`build of a small program on host ${host.address}, log:`);
  const build = await remoteBuild(place);
  console.log(`\nWhere the time went:\n${formatTimeline(build.timeline)}\n`);
  if (build.failed !== undefined) throw new Error(`the build failed: ${build.failed}`);
  console.log(`  image   ${build.image}\n  digest  ${build.digest}`);
  const said = await stage('pull the image and run it', () => runImage(place, build.image, build.digest));
  console.log(`  it says: ${said.trim()}`);
  const clean = await stage('wait for the cleanup', () => checkClean(place, host));
  console.log(`  cleaned: ${clean}`);
}

async function showMultiArch(place: Place): Promise<void> {
  const { kubectl, images } = place;
  await stage('install the controller and its Tasks', () => installProduct(kubectl, images));
  const host = await stage('start a build host for arm64 (amd64 is built on pods)', () => prepareArm64Host(place));
  await stage('controller ready', () => untilReady(kubectl));
  const build = await stage('build on both', () => multiArchBuild(place, images.smallBase));
  console.log(`\n${build.platforms.map((line) => `  ${line}`).join('\n')}\n`);
  if (build.failed !== undefined) throw new Error(`the build failed: ${build.failed}`);
  console.log(`  image   ${build.image}\n  digest  ${build.digest}`);
  const said = await stage('pull the image and run it', () => runImage(place, build.image, build.digest));
  console.log(`  it says: ${said.trim()}`);
  console.log(`  cleaned: ${host.name}: ${await stage('wait for the cleanup', () => checkClean(place, host))}`);
  console.log(`  cleaned: ${await stage('wait until the pod for amd64 is gone', () => untilPodsAreGone(place))}`);
}

// The ways a build can go, from its creation to the moment at which nothing of it is left: what Tekton does, and what
// people do. Each is gone through again and again by tests that disturb the controller meanwhile.
import { factsOf, label, taskType } from './observed-task-run.ts';
import type { Part } from './play-tekton.ts';
import type { OurType, Raw, Scenario } from './scenario.ts';

export interface Build {
  readonly scenario: Scenario;
  readonly namespace: string;
  readonly name: string;
}

export interface BuildLife {
  readonly title: string;
  /** It gets a host of its own, launched for it. */
  readonly launched?: true;
  /** It shares a host that is launched for several builds; when it is over nobody wants that host any more. */
  readonly pooled?: true;
  readonly launch?: (attempt: number) => Part;
  /** No host of its platform exists. */
  readonly unknownPlatform?: true;
  readonly provision?: (attempt: number) => Part;
  /** It goes on until people end it. */
  readonly endless?: true;
  readonly people?: (build: Build) => Promise<void>;
  /** What its error Secret has to say, should it have one. */
  readonly error?: RegExp;
}

const failed = (attempt: number): Part => ({
  outcome: 'failed',
  results: { REASON: 'ConnectionLost', MESSAGE: `try ${attempt}` },
});

export const buildLives: readonly BuildLife[] = [
  { title: 'a build that succeeds' },
  {
    title: 'a build whose first host fails',
    provision: (attempt) => (attempt === 1 ? failed(attempt) : {}),
  },
  {
    title: 'a build whose hosts all fail',
    provision: failed,
    error: /all available hosts for the platform have failed/,
  },
  {
    title: 'a build that is cancelled while its host is prepared',
    provision: () => ({ outcome: 'hangs' }),
    people: async (build) => {
      await provisioning(build);
      await build.scenario.finish(build.namespace, build.name, 'cancelled');
    },
  },
  {
    title: 'a build that is deleted while its host is prepared',
    provision: () => ({ outcome: 'hangs' }),
    people: async (build) => {
      await provisioning(build);
      await build.scenario.remove(build.namespace, build.name);
    },
  },
  {
    title: 'a build that is deleted while it runs',
    endless: true,
    people: async (build) => {
      await ready(build);
      await build.scenario.remove(build.namespace, build.name);
    },
  },
  {
    title: 'a build that is refused',
    unknownPlatform: true,
    error: /no hosts configured for platform linux-unknown\/arm64/,
  },
];

/** Builds that get a host of their own. */
export const launchedLives: readonly BuildLife[] = [
  { title: 'a build with a host of its own', launched: true },
  {
    title: 'a build whose first launch fails',
    launched: true,
    launch: (attempt) => (attempt === 1 ? { ...failed(attempt), after: 50 } : {}),
  },
  { title: 'a build whose launches all fail', launched: true, launch: failed, error: /failed to provision host: try/ },
  {
    title: 'a build whose first launched host cannot be prepared',
    launched: true,
    provision: (attempt) => (attempt === 1 ? failed(attempt) : {}),
  },
  {
    title: 'a build that is cancelled while its host is launched',
    launched: true,
    launch: () => ({ outcome: 'hangs' }),
    people: async (build) => {
      await worksFor(build, 'launch');
      await build.scenario.finish(build.namespace, build.name, 'cancelled');
    },
  },
  {
    title: 'a build that is deleted while its launched host is prepared',
    launched: true,
    provision: () => ({ outcome: 'hangs' }),
    people: async (build) => {
      await worksFor(build, 'provision');
      await build.scenario.remove(build.namespace, build.name);
    },
  },
];

/** Builds on a host that is launched for several. */
export const pooledLives: readonly BuildLife[] = [{ title: 'a build on a host of a pool', pooled: true }];

export function ready({ scenario, namespace, name }: Build): Promise<Raw> {
  return scenario.watched.until((all) => all.find((it) => isNamed(it, namespace, name) && factsOf(it)?.ready === true));
}

function provisioning(build: Build): Promise<Raw> {
  return worksFor(build, 'provision');
}

function worksFor({ scenario, namespace, name }: Build, type: OurType): Promise<Raw> {
  return scenario.watched.until((all) =>
    all.find(
      (it) =>
        taskType(it) === type && label(it, 'user-task-name') === name && label(it, 'user-task-namespace') === namespace,
    ),
  );
}

function isNamed({ metadata }: Raw, namespace: string, name: string): boolean {
  return metadata.namespace === namespace && metadata.name === name;
}

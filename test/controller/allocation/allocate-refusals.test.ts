import { expect } from 'chai';
import { configGrace } from '../../../controller/model/config-grace.ts';
import type { PoolSnapshot } from '../../../controller/allocation/pool-snapshot.ts';
import { minute, second } from '../../../controller/model/instant.ts';
import { noLimits, type PoolLimits } from '../../../controller/model/pool.ts';
import { aRequest, platform, start } from '../../support/host-builders.ts';
import { messageOf, only, outcomes, pool, sentence, use } from './allocation-sentences.ts';

const a = aRequest({ name: 'a' });
const b = aRequest({ name: 'b' });
const c = aRequest({ name: 'c' });

describe('allocate: never', () => {
  it('unknown platform: told at once, with the choice there is', () => {
    const unknown: PoolSnapshot = {
      status: 'unknown',
      platform: 'linux/arm64',
      configured: ['linux/s390x', 'linux/x86_64'],
    };
    const allocation = only(unknown, a);
    expect(sentence(allocation)).to.equal('a rejected: PlatformUnknown');
    expect(messageOf(allocation)).to.equal(
      'Error allocating host: no hosts configured for platform linux/arm64: ask an administrator to add hosts for it to ' +
        'host-config, or choose another PLATFORM (configured are linux/s390x, linux/x86_64)',
    );
  });

  it('unknown platform where nothing is configured', () => {
    const unknown: PoolSnapshot = { status: 'unknown', platform: 'linux/arm64', configured: [] };
    expect(messageOf(only(unknown, a))).to.include('(none is configured)');
  });

  it('every host failed: names them', () => {
    const request = aRequest({ name: 'a', failedHosts: ['h', 'i'] });
    const allocation = only(pool([use('h', 1), use('i', 1)]), request);
    expect(sentence(allocation)).to.equal('a rejected: AllHostsFailed');
    expect(messageOf(allocation)).to.match(
      /^Error allocating host: all available hosts for the platform have failed: h,i: .*run the build again/,
    );
  });

  it('no host with a usable ssh Secret: names the Secrets to create', () => {
    const allocation = only(pool([use('h', 1, { hasSshSecret: false })]), a, start + configGrace);
    expect(sentence(allocation)).to.equal('a rejected: SshSecretMissing');
    expect(messageOf(allocation)).to.equal(
      'failed to get SSH secret, system may not be configured correctly: ask an administrator to create Secret ssh-key ' +
        'with key id_rsa and the label build.appstudio.redhat.com/multi-platform-secret in the operator namespace',
    );
  });

  it('but not at once: it may be about to be created', () => {
    const keyless = pool([use('h', 1, { hasSshSecret: false })]);
    expect(only(keyless, a, start + configGrace - 1)).to.deep.include({ outcome: 'wait', until: start + configGrace });
    const replaced = { ...keyless, missingSecrets: new Map([['ssh-key', start + minute]]) };
    expect(outcomes(replaced, [a], start + minute + configGrace - 1)).to.deep.equal(['a waits 1']);
    expect(outcomes(replaced, [a], start + minute + configGrace)).to.deep.equal(['a rejected: SshSecretMissing']);
  });

  const only2 = (...patterns: RegExp[]): Partial<PoolLimits> => ({ allowedNamespaces: [patterns] });
  it('a namespace that is not allowed, though slots are free', () => {
    const allocation = only(pool([use('h', 1)], only2(/^team-b$/)), a);
    expect(sentence(allocation)).to.equal('a rejected: NamespaceNotAllowed');
    expect(messageOf(allocation)).to.equal(
      'namespace team-a does not match any namespace defined in allowed namespaces, ask an administrator to enable ' +
        'multi platform builds for your namespace',
    );
  });

  it('each list must allow the namespace', () => {
    const both = pool([use('h', 1)], { allowedNamespaces: [[/team/], [/-b$/]] });
    const requests = [a, aRequest({ namespace: 'team-b', name: 'b' })];
    expect(outcomes(both, requests)).to.deep.equal(['a rejected: NamespaceNotAllowed', 'b → h']);
  });

  it('one of a list is enough', () => {
    expect(outcomes(pool([use('h', 1)], only2(/^x$/, /^team-a$/)), [a])).to.deep.equal(['a → h']);
  });
});

describe('allocate: local platforms', () => {
  const local = (limits: Partial<PoolLimits> = {}): PoolSnapshot => ({
    status: 'local',
    platform: platform('linux/x86_64'),
    limits: { ...noLimits, ...limits },
  });

  it('every build runs in its own pod at once', () => {
    expect(outcomes(local(), [a, b, c])).to.deep.equal(['a → its own pod', 'b → its own pod', 'c → its own pod']);
  });

  it('but only in namespaces that are allowed', () => {
    expect(outcomes(local({ allowedNamespaces: [[/^team-b$/]] }), [a])).to.deep.equal([
      'a rejected: NamespaceNotAllowed',
    ]);
  });
});

describe('allocate: a broken config', () => {
  const told = { reason: 'HostConfigInvalid', message: 'host.a.concurrency is missing' } as const;
  const broken = (since: number): PoolSnapshot => ({ status: 'unusable', since, told });

  const times: readonly (readonly [string, number, number, number, string])[] = [
    ['waits for it to be mended', start, start, start, 'a waits 1'],
    ['to the last moment of the grace', start, start, start + configGrace - 1, 'a waits 1'],
    ['is rejected after the grace', start, start, start + configGrace, 'a rejected: HostConfigInvalid'],
    ['an old build has the grace of a young mistake', start + minute, start, start + minute + second, 'a waits 1'],
    ['a young build has the grace of an old mistake', start, start + minute, start + minute + second, 'a waits 1'],
  ];
  for (const [what, brokenSince, since, now, expected] of times) {
    it(`a build ${what}`, () => {
      expect(outcomes(broken(brokenSince), [aRequest({ name: 'a', since })], now)).to.deep.equal([expected]);
    });
  }

  it('the grace is 15 s and ends at a known time', () => {
    expect(configGrace).to.equal(15 * second);
    expect(only(broken(start), a)).to.deep.include({ until: start + 15 * second, told });
  });
});

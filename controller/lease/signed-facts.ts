// Lease facts on a user TaskRun: anyone with access to the namespace may edit them, so they carry a signature.
import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { HostFacts, LaunchFacts, LeaseFacts } from '../model/host-lease.ts';
import { asObject, asText, asTextMap, type Json } from '../model/json.ts';

const separator = '.';

/** Annotation text: `<base64url HMAC-SHA256 of uid and facts>.<facts as JSON>`. */
export function signFacts(key: KeyObject, uid: string, facts: LeaseFacts): string {
  const text = JSON.stringify(facts);
  return macOf(key, uid, text).toString('base64url') + separator + text;
}

/** The facts, or undefined when the text was not signed with this key for this TaskRun. */
export function verifyFacts(key: KeyObject, uid: string, signed: string): LeaseFacts | undefined {
  const end = signed.indexOf(separator);
  if (end < 0) return undefined;
  const text = signed.slice(end + separator.length);
  const given = Buffer.from(signed.slice(0, end), 'base64url');
  const wanted = macOf(key, uid, text);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
  return parseFacts(text);
}

/** Facts as a TaskRun of ours carries them; undefined when the text holds no facts. */
export function parseFacts(text: string): LeaseFacts | undefined {
  const raw = parseJson(text);
  const platform = asText(raw['platform']);
  const { attempt, ready, rejected, untold, oneTimeKey, retries, failedLaunches, lost } = raw;
  if (platform === undefined || typeof attempt !== 'number' || !Number.isSafeInteger(attempt)) return undefined;
  const claim = readClaim(asObject(raw['claim']));
  return {
    attempt,
    platform,
    ...(claim === undefined ? {} : { claim }),
    ...(ready === true ? { ready: true } : {}),
    ...(typeof rejected === 'string' ? { rejected } : {}),
    ...(typeof untold === 'string' ? { untold } : {}),
    ...(oneTimeKey === true ? { oneTimeKey: true } : {}),
    ...(typeof retries === 'number' ? { retries } : {}),
    ...(typeof failedLaunches === 'number' ? { failedLaunches } : {}),
    ...(lost === true ? { lost: true } : {}),
  };
}

function readClaim(raw: Json): LeaseFacts['claim'] {
  const { provider, host, address, user, sshSecret, since } = raw;
  if (provider !== 'static' && provider !== 'local' && provider !== 'dynamic') return undefined;
  const texts = [host, address, user, sshSecret].filter((value) => typeof value === 'string');
  if (texts.length < 4 || typeof since !== 'number') return undefined;
  const [hostName = '', hostAddress = '', hostUser = '', secret = ''] = texts;
  const facts: HostFacts = { provider, host: hostName, address: hostAddress, user: hostUser, sshSecret: secret };
  if (provider !== 'dynamic') return { ...facts, since };
  const launch = readLaunch(asObject(raw['launch']));
  // Nothing could ever be terminated from the rest.
  return launch === undefined ? undefined : { ...facts, since, launch };
}

function readLaunch(raw: Json): LaunchFacts | undefined {
  const { timeout, preparesItself } = raw;
  const type = asText(raw['type']);
  const instanceTag = asText(raw['instanceTag']);
  const sudoCommands = asText(raw['sudoCommands']);
  const instanceId = asText(raw['instanceId']);
  if (type === undefined || instanceTag === undefined || sudoCommands === undefined) return undefined;
  if (typeof timeout !== 'number' || !Number.isFinite(timeout)) return undefined;
  return {
    type,
    timeout,
    ...(preparesItself === true ? { preparesItself: true } : {}),
    ...(instanceId === undefined ? {} : { instanceId }),
    instanceTag,
    sudoCommands,
    params: asTextMap(raw['params']),
    secrets: asTextMap(raw['secrets']),
  };
}

function macOf(key: KeyObject, uid: string, text: string): Buffer {
  return createHmac('sha256', key).update(uid).update('\n').update(text).digest();
}

function parseJson(text: string): Json {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return {};
  }
}

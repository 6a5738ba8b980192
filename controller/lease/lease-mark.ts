// The mark beside the labels of a claim. Anyone may write labels; only with the key is there a mark that fits them. So a
// build of ours that lost its facts is found again by its labels, and one that was never given a host is not.
import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { UserTaskRun } from '../model/task-run.ts';

/** In hexadecimal digits: a label value has room for 63 characters. */
const length = 48;

/** Fits one claim of one TaskRun: neither another's, nor another attempt, nor another host. */
export function leaseMark(key: KeyObject, uid: string, attempt: number, host: string): string {
  // Never what facts are signed over: those begin with a uid.
  const text = `lease-mark\n${uid}\n${attempt}\n${host}`;
  return createHmac('sha256', key).update(text).digest('hex').slice(0, length);
}

/** Its labels say what we wrote there. */
export function hasOurMark(key: KeyObject, { uid, attemptLabel, assignedHost, markLabel }: MarkedTaskRun): boolean {
  if (assignedHost === undefined || markLabel === undefined) return false;
  const given = Buffer.from(markLabel);
  const wanted = Buffer.from(leaseMark(key, uid, labelledAttempt(attemptLabel), assignedHost));
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** The attempt a label says; 0: the claim of an older controller, which set no such label. */
export function labelledAttempt(label: string | undefined): number {
  return /^[1-9][0-9]{0,3}$/.test(label ?? '') ? Number(label) : 0;
}

type MarkedTaskRun = Pick<UserTaskRun, 'uid' | 'attemptLabel' | 'assignedHost' | 'markLabel'>;

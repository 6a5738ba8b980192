// What to do now, and when to look again although nothing happened.
import type { Action } from '../model/action.ts';
import type { Instant } from '../model/instant.ts';

export interface Plan {
  readonly actions: readonly Action[];
  readonly lookAgainAt?: Instant;
}

export const noPlan: Plan = { actions: [] };

/** The actions, then those of the other plans; looks again at the earliest time any of them asks for. */
export function planOf(actions: readonly Action[], ...plans: readonly Plan[]): Plan {
  const all = [...actions, ...plans.flatMap((plan) => plan.actions)];
  const times = plans.flatMap((plan) => plan.lookAgainAt ?? []);
  return times.length === 0 ? { actions: all } : { actions: all, lookAgainAt: Math.min(...times) };
}

// A refusal because of host-config, which comes by a watch of its own: held for a moment, each time anew.
import { expect } from 'chai';
import type { Allocation } from '../../../controller/allocation/allocate.ts';
import { second } from '../../../controller/model/instant.ts';
import type { RejectReason } from '../../../controller/model/reason.ts';
import { LateConfig } from '../../../controller/reconcile/late-config.ts';
import { aRequest, start } from '../../support/host-builders.ts';

const request = aRequest();
const refused = (reason: RejectReason): Allocation => ({
  outcome: 'reject',
  request,
  told: { reason, message: 'no' },
});
const accepted: Allocation = { outcome: 'assign-local', request };

describe('a refusal because of host-config', () => {
  it('is held for two seconds, then stands', () => {
    const late = new LateConfig();
    expect(late.heldUntil(refused('PlatformUnknown'), start)).to.equal(start + 2 * second);
    expect(late.heldUntil(refused('NamespaceNotAllowed'), start + second)).to.equal(start + 2 * second);
    expect(late.heldUntil(refused('PlatformUnknown'), start + 2 * second)).to.equal(undefined);
  });

  it('is held again when the build was accepted meanwhile', () => {
    const late = new LateConfig();
    late.heldUntil(refused('PlatformUnknown'), start);
    expect(late.heldUntil(accepted, start + second)).to.equal(undefined);
    const again = start + 60 * second;
    expect(late.heldUntil(refused('PlatformUnknown'), again)).to.equal(again + 2 * second);
  });

  it('others are not held', () => {
    expect(new LateConfig().heldUntil(refused('WaitedTooLong'), start)).to.equal(undefined);
  });
});

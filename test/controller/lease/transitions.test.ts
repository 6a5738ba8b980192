import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { transitionDiagram, transitions } from '../../../controller/lease/transitions.ts';
import type { LeasePhase } from '../../../controller/model/host-lease.ts';

const phases: Readonly<Record<LeasePhase, true>> = {
  unsigned: true,
  waiting: true,
  claimed: true,
  launching: true,
  launched: true,
  unlaunched: true,
  provisioning: true,
  provisioned: true,
  failed: true,
  ready: true,
  stopping: true,
  releasing: true,
  rejected: true,
  over: true,
};
const all = Object.keys(phases);

/** Phases that can be reached from one, itself included. */
function reachable(from: string): Set<string> {
  const found = new Set<string>([from]);
  for (const phase of found) for (const it of transitions) if (it.from === phase) found.add(it.to);
  return found;
}

describe('the table of transitions', () => {
  it('every phase is reached from waiting, but the one facts get lost into', () => {
    expect([...reachable('waiting')]).to.have.members(all.filter((phase) => phase !== 'unsigned'));
    expect([...reachable('unsigned')]).to.have.members(all);
  });

  it('over is reached from every phase', () => {
    expect(all.filter((phase) => !reachable(phase).has('over'))).to.deep.equal([]);
  });

  it('a build may end in every phase that is not its end already', () => {
    const leftBy = new Set<string>(transitions.filter(({ on }) => on === 'build ended').map(({ from }) => from));
    expect(all.filter((phase) => !leftBy.has(phase))).to.have.members(['stopping', 'releasing', 'over']);
  });

  it('nothing follows over', () => expect([...reachable('over')]).to.deep.equal(['over']));

  it('no line is there twice', () => {
    const lines = transitions.map(({ from, to }) => `${from} → ${to}`);
    expect(new Set(lines).size).to.equal(lines.length);
  });

  it('is what the page about the controller shows', () => {
    const page = readFileSync(new URL('../../../controller/README.md', import.meta.url), 'utf8');
    const block = /<!-- lease diagram -->\s*```mermaid\n([\s\S]*?)\n```\s*<!-- \/lease diagram -->/.exec(page);
    expect(block?.[1]).to.equal(transitionDiagram());
  });
});

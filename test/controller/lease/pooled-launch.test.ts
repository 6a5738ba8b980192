// What becomes of the TaskRun that launched a host of several builds when that host is terminated.
import { expect } from 'chai';
import { pooledLaunch, terminatePooled } from '../../../controller/lease/pooled-launch.ts';
import { operatorNamespace, OwnTaskRunBuilder } from '../../support/builders.ts';
import { start } from '../../support/host-builders.ts';
import { aPool } from '../../support/pool-builders.ts';

const aLaunch = (): OwnTaskRunBuilder =>
  new OwnTaskRunBuilder(pooledLaunch(aPool({ kind: 'dynamic-pool' }), 'mp-1', start, operatorNamespace));
const stepsOf = (launch: OwnTaskRunBuilder): string[] =>
  terminatePooled(launch.build(), operatorNamespace).map(({ type }) => type);

describe('the record of a host of several builds', () => {
  it('goes once somebody else is to terminate the host', () => {
    expect(stepsOf(aLaunch().ended('succeeded'))).to.deep.equal([
      'create-task-run',
      'drop-own-finalizer',
      'delete-task-run',
    ]);
  });

  it('stays for its log if it failed, and is marked last: what is marked is not looked at again', () => {
    expect(stepsOf(aLaunch().ended('failed'))).to.deep.equal(['create-task-run', 'drop-own-finalizer', 'mark-cleaned']);
  });
});

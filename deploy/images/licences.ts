// Prints the licence of every npm package, those the product ships first, and fails when one may not be used.
import { join } from 'node:path';
import { licenceProblems } from './licence-problems.ts';
import { lockedPackages, type LockedPackage } from './locked-packages.ts';

const packages = lockedPackages(join(import.meta.dirname, '../..'));
for (const shipped of [true, false]) {
  console.log(shipped ? 'Shipped:' : '\nOnly to make and test it:');
  const listed = packages.filter((it) => it.shipped === shipped);
  for (const licence of new Set(listed.map((it) => it.licence)))
    console.log(`  ${licence ?? 'none'}: ${namesOf(listed.filter((it) => it.licence === licence))}`);
}
const problems = licenceProblems(packages);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function namesOf(those: readonly LockedPackage[]): string {
  return those.map(({ name, version }) => `${name} ${version}`).join(', ');
}

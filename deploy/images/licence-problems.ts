// Which licences the product's packages may have: those that ask for no more than to be named. Decides by what the packages
// declare; a package with another licence, or none, has to be looked at by a person and put on the list here.
import type { LockedPackage } from './locked-packages.ts';

const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'PSF-2.0',
  'Unlicense',
]);

/** One sentence for each package that may not be used as it is. */
export function licenceProblems(packages: readonly LockedPackage[]): string[] {
  return packages.flatMap(({ folder, version, licence }) => {
    if (licence === undefined) return [`${folder} ${version} declares no licence`];
    return isAllowed(licence) ? [] : [`${folder} ${version} has licence ${licence}, which is not on the list`];
  });
}

/** `(A OR B)` leaves the choice; `A AND B` asks for both. */
function isAllowed(expression: string): boolean {
  const choices = expression.replaceAll(/[()]/g, '').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((licence) => allowed.has(licence.trim())));
}

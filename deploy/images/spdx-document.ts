// The bill of materials of an image, as an SPDX 2.3 document. Pure: what is in the image, others found out.
import { createHash } from 'node:crypto';

export interface Material {
  readonly name: string;
  readonly version: string;
  /** SPDX expression; undefined: see the package. */
  readonly licence?: string | undefined;
  /** Package URL. */
  readonly purl: string;
}

export function spdxDocument(image: string, materials: readonly Material[], created: Date): object {
  const packages = materials.map((material, index) => ({
    SPDXID: `SPDXRef-Package-${index + 1}`,
    name: material.name,
    versionInfo: material.version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: material.licence ?? 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: material.purl }],
  }));
  const contents = createHash('sha256').update(JSON.stringify(packages)).digest('hex');
  const whole = {
    SPDXID: 'SPDXRef-Image',
    name: image,
    versionInfo: contents.slice(0, 12),
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    primaryPackagePurpose: 'CONTAINER',
  };
  const relate = (from: string, relationshipType: string, to: string): object => ({
    spdxElementId: from,
    relationshipType,
    relatedSpdxElement: to,
  });
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: image,
    documentNamespace: `urn:sha256:${createHash('sha256').update(`${image}\n${contents}`).digest('hex')}`,
    creationInfo: { created: created.toISOString().replace(/\.\d+Z$/, 'Z'), creators: ['Tool: write-sbom'] },
    packages: [whole, ...packages],
    relationships: [
      relate('SPDXRef-DOCUMENT', 'DESCRIBES', whole.SPDXID),
      ...packages.map(({ SPDXID }) => relate(whole.SPDXID, 'CONTAINS', SPDXID)),
    ],
  };
}

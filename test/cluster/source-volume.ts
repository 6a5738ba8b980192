// A claim for the source of a build: on a folder of the node, or, without one, of the cluster's default storage class.

export function volumeManifests(namespace: string, name: string, folder: string | undefined): object[] {
  const accessModes = ['ReadWriteOnce'];
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: { accessModes, resources: { requests: { storage: '1Gi' } } },
  };
  if (folder === undefined) return [claim];
  const volumeName = `${namespace}-${name}`;
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volumeName },
    spec: {
      accessModes,
      storageClassName: '',
      capacity: { storage: '1Gi' },
      hostPath: { path: folder },
      claimRef: { namespace, name },
      persistentVolumeReclaimPolicy: 'Retain',
    },
  };
  return [volume, { ...claim, spec: { ...claim.spec, storageClassName: '', volumeName } }];
}

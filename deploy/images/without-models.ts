// Leaves out of a bundle what is not used of the Kubernetes client library: its package.json does not say that its 780
// model files do nothing by themselves, and running them all costs 17 MiB. Decides about no other package.
import type { Plugin } from 'esbuild';

const library = '@kubernetes/client-node';

export const withoutModels: Plugin = {
  name: 'without-models',
  setup(builder) {
    builder.onResolve({ filter: /^(\.|@kubernetes\/client-node)/ }, async ({ path, pluginData, ...from }) => {
      const { resolveDir, kind, importer } = from;
      const inLibrary = path.startsWith(library) || importer.includes(`node_modules/${library}/`);
      // Asked again by the line below: the usual way then.
      if (!inLibrary || pluginData === library) return undefined;
      const resolved = await builder.resolve(path, { resolveDir, kind, importer, pluginData: library });
      return { ...resolved, sideEffects: false };
    });
  },
};

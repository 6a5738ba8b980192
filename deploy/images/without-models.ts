// Leaves out of a bundle what is not used of the Kubernetes client library: its package.json does not say that its 780
// model files do nothing by themselves, and running them all costs 17 MiB. Decides about no other package.
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

const library = '@kubernetes/client-node';

export const withoutModels: Plugin = {
  name: 'without-models',
  setup(builder) {
    builder.onResolve({ filter: /^@kubernetes\/client-node/ }, async ({ path, pluginData, ...from }) => {
      const { resolveDir, kind, importer } = from;
      // Asked again by the next line: the usual way then.
      if (pluginData === library) return undefined;
      const resolved = await builder.resolve(path, { resolveDir, kind, importer, pluginData: library });
      return { ...resolved, sideEffects: false };
    });
    // Its files name each other by whole relative paths. To ask the usual way for all of them takes eight seconds.
    builder.onResolve({ filter: /^\..*\.js$/ }, ({ path, resolveDir, importer }) =>
      importer.includes(`node_modules/${library}/`) ? { path: join(resolveDir, path), sideEffects: false } : undefined,
    );
  },
};

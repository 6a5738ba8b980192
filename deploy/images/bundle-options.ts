// How sources become one file that needs only Node: what ships, and what scenario tests start.
import { join } from 'node:path';
import type { BuildOptions } from 'esbuild';
import { withoutModels } from './without-models.ts';

export const bundleOptions = {
  absWorkingDir: join(import.meta.dirname, '../..'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  minify: true,
  logLevel: 'warning',
  plugins: [withoutModels],
  banner: {
    // CommonJS packages among the dependencies call require and know where they are.
    js: [
      "import { createRequire as bundleRequire } from 'node:module';",
      "import { fileURLToPath as bundlePath } from 'node:url';",
      'const require = bundleRequire(import.meta.url), __filename = bundlePath(import.meta.url), __dirname = bundlePath(new URL(".", import.meta.url));',
    ].join(' '),
  },
} as const satisfies BuildOptions;

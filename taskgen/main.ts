#!/usr/bin/env node
// The taskgen command: starts command.ts, with its compiled code kept from one call to the next, which halves the time a call takes.
// It decides nothing else than what happens when nobody reads.

import module from 'node:module';

// Older versions of Node keep nothing.
if ('enableCompileCache' in module && typeof module.enableCompileCache === 'function') module.enableCompileCache();
// Who reads the output may have seen enough, as head does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`error: cannot write to standard output: ${error.message}\n`);
  process.exit(error.code === 'EPIPE' ? 0 : 2);
});
const { runCommand } = await import('./command.ts');
process.exitCode = await runCommand(process.argv.slice(2));

#!/usr/bin/env node
// The taskgen command: starts command.ts, with its compiled code kept from one call to the next, which halves the time a call takes.
// It decides nothing.

import module from 'node:module';

// Older versions of Node keep nothing.
if ('enableCompileCache' in module && typeof module.enableCompileCache === 'function') module.enableCompileCache();
const { runCommand } = await import('./command.ts');
process.exitCode = await runCommand(process.argv.slice(2));

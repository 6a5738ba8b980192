// Loaded before all tests: properties are checked with the same values in every run, so that a run that failed can be repeated, and one
// that passed stays passed. PROPERTY_SEED=<number> takes other values.
import { configureGlobal } from 'fast-check';

const seed = Number(process.env['PROPERTY_SEED'] ?? 20_261_121);
if (!Number.isSafeInteger(seed)) throw new Error(`PROPERTY_SEED is '${process.env['PROPERTY_SEED']}': give a number`);
configureGlobal({ seed });

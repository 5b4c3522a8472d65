import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The programs that are started as processes of their own. */
export type ProgramName = 'node/main' | 'devnet/chain/main' | 'cli/sealion';

/**
 * The file with which Node starts a program of ours: the compiled module or, where `npm test` has bundled it
 * (`setup/bundle.mjs`), the bundle of it and all that it imports, which does the same and is loaded faster.
 */
export function compiledProgram(name: ProgramName): string {
  const { SEALION_BUNDLES } = process.env;
  return SEALION_BUNDLES
    ? join(SEALION_BUNDLES, 'cluster', `${name}.js`)
    : fileURLToPath(new URL(`./${name}.js`, import.meta.url));
}

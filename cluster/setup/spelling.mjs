import { join } from 'node:path';
import { ROOT, run } from './step.mjs';

/** Unknown words in the project's texts, with their places; an empty string when there are none. */
export async function misspellings(files = [], config = join(ROOT, '.cspell.json')) {
  const program = join(ROOT, 'node_modules/cspell/bin.mjs');
  const { code, output } = await run(process.execPath, [
    program,
    'lint',
    '--no-progress',
    '--no-summary',
    '--config',
    config,
    ...files,
  ]);
  return code === 0 ? '' : output.trim() || 'cspell ended without output.';
}

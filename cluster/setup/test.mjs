import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { BUNDLES } from './bundle.mjs';
import { ROOT, run } from './step.mjs';

/** Files of tests that run at once: more than a small machine has cores, since tests of networks wait most of the time. */
const AT_ONCE = Math.max(4, availableParallelism());

/**
 * Runs the compiled tests and shows their results as they arrive.
 * @param selection folders or files as named in the sources, for example `runtime/journal`; by default all
 */
export async function runTests(selection = []) {
  const colour = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
  const patterns = selection.map((path) => `dist/${path.replace(/\.ts$/, '.js')}`);
  const options = ['--concurrency', String(AT_ONCE), ...patterns];
  const { code, output } = await run(
    process.execPath,
    [join(ROOT, 'node_modules/ava/entrypoints/cli.mjs'), ...options],
    {
      env: { ...process.env, ...colour, SEALION_BUNDLES: BUNDLES },
      onOutput: (text) => process.stdout.write(text),
    },
  );
  return tally(output, code);
}

/**
 * Counts the results in the output of ava's default reporter. A test file that cannot be loaded, contains no test or
 * does not end, and an error outside of any test, count as one failure each; so does an exit code that nothing in the
 * output explains.
 * @returns `{ passed, failed, skipped }`, the last as titles
 */
export function tally(output, exitCode) {
  const lines = stripVTControlCharacters(output).split('\n');
  const matching = (pattern) => lines.filter((line) => pattern.test(line));
  const passed = matching(/^ {2}[✔√] /).length;
  const failed = matching(/^ {2}([✘×] |Uncaught exception in |Unhandled rejection in )/).length;
  const skipped = matching(/^ {2}- \[(skip|todo)\] /).map((line) => line.replace(/^ {2}- \[\w+\] /, ''));
  return { passed, failed: exitCode !== 0 || passed === 0 ? Math.max(failed, 1) : failed, skipped };
}

/**
 * Prints the title of every skipped test (which contains the reason), then the counts as the last line.
 * @returns the exit code
 */
export function conclude({ passed, failed, skipped }) {
  const reasons = skipped.map((title) => `skipped: ${title}\n`).join('');
  const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
  process.stdout.write(`\n${reasons}${passed} passed, ${failed} failed${tail}\n`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

import { join } from 'node:path';
import { build } from './build.mjs';
import { brokenCitations } from './citations.mjs';
import { productionPackages } from './dependencies.mjs';
import { unexplainedCodes } from './error-codes.mjs';
import { misspellings } from './spelling.mjs';
import { ROOT, run, SetupError } from './step.mjs';
import { conclude, runTests } from './test.mjs';

/**
 * Runs all checks that must pass before a change lands: format and lint (including the import rule between the
 * folders), spelling, citations, error codes, licences and types, side by side, then the tests. Continues after a
 * failure as far as possible; a failed check counts as one failure.
 * @returns the exit code
 */
export async function verify() {
  const lint = check('Format and lint', async () => {
    const { code, output } = await run(process.execPath, [
      join(ROOT, 'node_modules/@biomejs/biome/bin/biome'),
      'ci',
      '.',
    ]);
    if (code !== 0)
      throw new SetupError('Biome has found errors.', {
        advice: 'npm run format corrects most of them.',
        output,
      });
  });
  const spelling = check('Spelling', async () => {
    const output = await misspellings();
    if (output)
      throw new SetupError('These words are not in the dictionary.', {
        advice: 'Correct them, or add them to "words" in .cspell.json.',
        output,
      });
  });
  const citations = check('Citations', async () => {
    const broken = brokenCitations();
    if (broken.length > 0)
      throw new SetupError('These citations do not lead to a heading.', { output: broken.join('\n') });
  });
  const codes = check('Error codes', async () => {
    const unexplained = unexplainedCodes();
    if (unexplained.length > 0)
      throw new SetupError('Source and reference of error codes differ.', { output: unexplained.join('\n') });
  });
  const licences = check('Licences', async () => {
    const refused = productionPackages().filter(({ permissive }) => !permissive);
    if (refused.length > 0)
      throw new SetupError('These packages do not have a permissive licence.', {
        output: refused.map(({ name, license }) => `${name}: ${license}`).join('\n'),
      });
  });
  const types = check('Types', build);
  const checks = await Promise.all([lint, spelling, citations, codes, licences, types]);
  const tests = (await types) ? await runTests() : { passed: 0, failed: 0, skipped: [] };
  const failedChecks = checks.filter((good) => !good).length;
  return conclude({ ...tests, failed: tests.failed + failedChecks });
}

async function check(name, work) {
  try {
    await work();
    process.stdout.write(`${name}: good\n`);
    return true;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stdout.write(`${error.output ?? ''}\n${name}: ${error.message} ${error.advice ?? ''}\n`);
    return false;
  }
}

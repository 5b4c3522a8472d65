import { spawnSync } from 'node:child_process';
import test from 'ava';
import { Argument, Command, Option } from 'commander';
import { completionScript, SHELLS, type Shell } from './completion.ts';

const program = new Command('sealion');
program
  .command('put <file>')
  .description("Upload: a file's bytes [all] of it.")
  .option('--sp <id>', 'which')
  .addOption(new Option('--redundancy <type>', 'how').choices(['EC', 'REPLICA']));
program.command('journal').description('Look after it.').command('move').option('--config <file>', 'of it');
program.command('completion').addArgument(new Argument('<shell>').choices(SHELLS));

/** What bash offers after these words. */
function offered(...words: readonly string[]): readonly string[] {
  const script = `${completionScript(program, 'bash')}
COMP_WORDS=(sealion "$@"); COMP_CWORD=$#; _sealion; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = spawnSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' });
  return stdout.split('\n').filter((word) => word !== '');
}

test('bash completes commands, options, and values that are a fixed set', (t) => {
  t.deepEqual(offered(''), ['put', 'journal', 'completion']);
  t.deepEqual(offered('p'), ['put']);
  t.deepEqual(offered('put', '--s'), ['--sp']);
  t.deepEqual(offered('put', '--redundancy', ''), ['EC', 'REPLICA']);
  t.deepEqual(offered('put', ''), []);
  t.deepEqual(offered('journal', ''), ['move']);
  t.deepEqual(offered('journal', 'move', '--c'), ['--config']);
  t.deepEqual(offered('completion', 'z'), ['zsh']);
});

const CHECKS: Readonly<Record<Shell, string>> = { bash: '-n', zsh: '-n', fish: '--no-execute' };
for (const shell of SHELLS) {
  const isInstalled = spawnSync(shell, ['-c', 'true']).error === undefined;
  const check = isInstalled ? test : test.skip;
  check(`the script for ${shell} is one that it can read${isInstalled ? '' : `: no ${shell} here`}`, (t) => {
    const input = completionScript(program, shell);
    const { status, stderr } = spawnSync(shell, [CHECKS[shell], '-c', input], { encoding: 'utf8' });
    t.is(status, 0, stderr);
    t.true(input.includes('REPLICA'));
  });
}

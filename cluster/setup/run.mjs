/**
 * Installs what is missing on this machine, then runs a task:
 *
 *     node cluster/setup/run.mjs build | test [folder or file …] | verify [--with-programs] | dependencies | reference | demo … | devnet … | bench …
 *
 * Plain JavaScript with nothing but Node's own modules, since it runs before anything is installed.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { listDependencies } from './dependencies.mjs';
import { provideCurrentNatsServer, provideNatsServer } from './nats-server.mjs';
import { checkNode, installPackages } from './packages.mjs';
import { installTestPrograms } from './programs.mjs';
import { ROOT, SetupError } from './step.mjs';
import { conclude, runTests } from './test.mjs';
import { verify } from './verify.mjs';

/** Compiled programs that can be started by name; they run in this process, so that they receive signals directly. */
const PROGRAMS = {
  bench: 'dist/cluster/bench/main.js',
  demo: 'dist/cluster/demo/main.js',
  devnet: 'dist/cluster/devnet/main.js',
  reference: 'dist/cluster/config/write-reference.js',
};

async function main([task = '', ...args]) {
  const known = ['build', 'test', 'verify', 'dependencies', ...Object.keys(PROGRAMS)];
  if (!known.includes(task)) {
    throw new SetupError(`Unknown task "${task}".`, {
      advice: `The tasks are ${known.join(', ')}.`,
    });
  }
  checkNode();
  if (task === 'dependencies') {
    process.exitCode = listDependencies();
    return;
  }
  await installPackages();
  await provideNatsServer();
  if (['test', 'verify', 'demo'].includes(task)) await provideCurrentNatsServer();
  if (task === 'verify') {
    if (args.includes('--with-programs')) await installTestPrograms();
    process.exitCode = await verify();
    return;
  }
  await build();
  if (task === 'test') process.exitCode = conclude(await runTests(args));
  if (task in PROGRAMS) await start(join(ROOT, PROGRAMS[task]), args);
}

async function start(program, args) {
  process.setSourceMapsEnabled(true);
  process.argv = [process.execPath, program, ...args];
  await import(pathToFileURL(program).href);
}

const command = process.argv.slice(2);
try {
  await main(command);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  const parts = [error.output?.trimEnd(), error.message, error.advice].filter(Boolean);
  process.stderr.write(`${parts.join('\n')}\n`);
  process.exitCode = 1;
  if (command[0] === 'test' || command[0] === 'verify') conclude({ passed: 0, failed: 1, skipped: [] });
}

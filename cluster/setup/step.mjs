import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The folder of the project. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Set-up cannot continue. `advice` says what to do, `output` is the output of the failed program. */
export class SetupError extends Error {
  constructor(message, { advice, output } = {}) {
    super(message);
    this.advice = advice;
    this.output = output;
  }
}

/** Runs one step of the set-up, and shows it in one line on standard error. */
export async function step(text, work) {
  process.stderr.write(`${text} … `);
  const start = performance.now();
  try {
    const result = await work();
    process.stderr.write(`done in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
    return result;
  } catch (error) {
    process.stderr.write('failed\n');
    throw error;
  }
}

/**
 * Runs a program in the project's folder (or `cwd`) and collects its output. Each piece of output is also passed to
 * `onOutput` if given.
 * @returns its exit code (1 when a signal ended it) and output, whether it succeeded or not
 * @throws SetupError when the program cannot be started
 */
export function run(command, args, { cwd = ROOT, env = process.env, onOutput } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        onOutput?.(text);
      });
    }
    child.once('error', (cause) => reject(new SetupError(`Cannot run ${command}: ${cause.message}`)));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** As `run`, for programs whose failure ends the set-up. @throws SetupError */
export async function mustRun(what, command, args, options) {
  const { code, output } = await run(command, args, options);
  if (code !== 0) throw new SetupError(`${what} failed.`, { output });
  return output;
}

/** A program for the tests of `DevnetProcess`; its argument says what it does. */
import { createLogger } from '#runtime/telemetry/logger';
import { runProgram } from '../program.ts';

const [task] = process.argv.slice(2);

await runProgram(async (signal) => {
  if (task === 'fails') throw new Error('no luck today');
  const beat = setInterval(() => undefined, 1_000);
  if (task === 'starts for ever') await new Promise(() => undefined);
  if (task === 'leaves a rejection') void Promise.reject(new Error('nobody caught me'));
  if (task === 'crashes later') setTimeout(() => process.kill(process.pid, 'SIGKILL'), 100);
  process.stdout.write('{"http":8080}\n');
  return {
    async stop() {
      if (task === 'never stops') await new Promise(() => undefined);
      clearInterval(beat);
      process.stderr.write(`stopped in order, signal ${signal.aborted}\n`);
    },
  };
}, createLogger());

import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Terminal } from '#protocols/errors';
import type { Logger } from './logger.ts';
import { Repeats } from './repeats.ts';

interface Line {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

function keepLines() {
  const lines: Line[] = [];
  const keep = (fields: object, message: string) => void lines.push({ fields: { ...fields }, message });
  const log: Logger = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };
  return { log, lines };
}

const fault = new Terminal({ code: 'forged', message: `quoted ${'x'.repeat(10_000)}` });

test('the first lines of a kind are written without a stack, then a count of the rest', async (t) => {
  const { log, lines } = keepLines();
  const repeats = new Repeats(log, 50);
  for (let i = 0; i < 10_000; i++) repeats.warn('SP 5', fault, 'rejected an ask');
  repeats.warn('SP 6', fault, 'rejected an ask');
  t.is(lines.length, 6);
  t.true(JSON.stringify(lines).length < 6 * 500);
  t.false(lines.some(({ fields }) => 'error' in fields));
  while (lines.length < 7) await sleep(10);
  t.like(lines[6], { fields: { from: 'SP 5', code: 'forged', more: 9_995 } });
  t.regex(lines[6]?.message ?? '', /9995 more like this/);
});

test('memory and output are bounded, however many names appear', (t) => {
  const { log, lines } = keepLines();
  const repeats = new Repeats(log);
  for (let i = 0; i < 50_000; i++) repeats.warn(`stranger ${i}`, fault, 'rejected an ask');
  t.true(lines.length <= 1_005);
});

import test from 'ava';
import { Terminal } from '#protocols/errors';
import { createReporter } from './reporter.ts';

/** Text that a malicious provider, chain node or client may send. */
const HOSTILE = 'a\u001b[2J\u001b]0;owned\u0007\u009b1m\r\nsealed\u202e';

for (const isTTY of [true, false]) {
  test(`text from others neither moves the cursor nor starts a line: ${isTTY ? 'terminal' : 'pipe'}`, (t) => {
    const written: string[] = [];
    const out = { write: (text: string) => written.push(text), isTTY };
    const report = createReporter({ out, error: out });
    report.line(`status ${HOSTILE}`, { event: 'x' });
    report.line(['tree', HOSTILE], { event: 'x' });
    report.failure(new Terminal({ code: 'x', message: HOSTILE }));
    t.is(written[0], 'status a\\u001b[2J\\u001b]0;owned\\u0007\\u009b1m\\u000d\\u000asealed\\u202e\n');
    t.is(written[1]?.split('\n').length, 3);
    for (const text of written) t.notRegex(text.replaceAll('\n', ''), /[\p{Cc}\u202e]/u);
  });
}

test('JSON output is one line that is safe to show in a terminal', (t) => {
  const written: string[] = [];
  const out = { write: (text: string) => written.push(text) };
  createReporter({ json: true, out }).line('', { event: 'x', text: HOSTILE });
  t.notRegex(written[0]?.slice(0, -1) ?? '', /[\p{Cc}\u202e]/u);
  t.is((JSON.parse(written[0] ?? '') as { text: string }).text, HOSTILE);
});

test('the rate of a transfer does not count what had arrived before', (t) => {
  const written: string[] = [];
  const out = { write: (text: string) => written.push(text), isTTY: true, columns: 200 };
  createReporter({ out }).progress('downloading', 2 ** 30, 2 ** 31);
  t.regex(written[0] ?? '', /1\.0 GiB of 2\.0 GiB, 0\.0 MB\/s$/);
});

import { EventEmitter, once } from 'node:events';
import test from 'ava';
import { Cancelled } from '#protocols/errors';
import { serve, TOKENS } from '../../admin/testing/server.ts';
import { reportOf, viewOf } from '../../admin/testing/view.ts';
import { AdminApi } from '../../client/admin-api.ts';
import { watchOnScreen } from './watch.ts';

/** A terminal that keeps what is written to it. */
function fakeTerminal() {
  const input = Object.assign(new EventEmitter(), {
    isRaw: false,
    setRawMode(isRaw: boolean) {
      input.isRaw = isRaw;
      return input;
    },
    resume: () => input,
    pause: () => input,
  });
  const output = Object.assign(new EventEmitter(), {
    rows: 10,
    text: '',
    write(text: string) {
      output.text += text;
      output.emit('written');
      return true;
    },
  });
  return { input, output };
}

async function written(output: ReturnType<typeof fakeTerminal>['output'], text: string): Promise<void> {
  while (!output.text.includes(text)) await once(output, 'written');
}

const CLOSED = '\u001b[?25h\u001b[?1049l';

test('the live view follows keys and sizes, and gives the terminal back', async (t) => {
  const hostile = reportOf('sp-1@\u001b[2Ja');
  const view = viewOf({ nodes: async () => ({ reports: [hostile], silent: [] }) });
  const { port } = await serve(t, { view });
  const api = new AdminApi(`http://127.0.0.1:${port}`, TOKENS.view);
  const { input, output } = fakeTerminal();
  const options = { api, shown: 'jobs', everyMs: 60_000, terminal: { input, output } as never } as const;
  const ended = watchOnScreen(options, new AbortController().signal);
  await written(output, 'No job is open.');
  t.true(input.isRaw);
  t.false(output.text.includes('\u001b[2Ja'));
  output.text = '';
  output.rows = 4;
  output.emit('resize');
  t.is(output.text.split('\r\n').length, 4);
  output.rows = 20;
  input.emit('data', 't');
  await written(output, 'sp-1@a');
  input.emit('data', 'q');
  await ended;
  t.false(input.isRaw);
  t.true(output.text.endsWith(CLOSED));
  t.deepEqual([input.listenerCount('data'), output.listenerCount('resize')], [0, 0]);
});

test('a node that does not answer is asked again, and a wrong token ends the view', async (t) => {
  let fails = true;
  const view = viewOf({
    nodes: async () => {
      if (fails) throw new Error('a fault');
      return { reports: [reportOf('sp-1@back')], silent: [] };
    },
  });
  const { port } = await serve(t, { view });
  const url = `http://127.0.0.1:${port}`;
  const { input, output } = fakeTerminal();
  const options = { shown: 'jobs', everyMs: 10, terminal: { input, output } as never } as const;
  const stop = new AbortController();
  const ended = watchOnScreen({ ...options, api: new AdminApi(url, TOKENS.view) }, stop.signal);
  await written(output, '(unexpected)');
  fails = false;
  await written(output, 'sp-1@back');
  stop.abort(new Cancelled({ code: 'interrupted', message: 'Stopped.' }));
  await t.throwsAsync(ended, { code: 'interrupted' });
  t.true(output.text.endsWith(CLOSED));

  output.text = '';
  const wrong = watchOnScreen(
    { ...options, api: new AdminApi(url, 'not-the-token') },
    new AbortController().signal,
  );
  await t.throwsAsync(wrong, { code: 'wrong-token' });
  t.true(output.text.endsWith(CLOSED));
});

import anyTest, { type TestFn } from 'ava';
import { gate } from '#runtime/actors/testing';
import type { TreeNode } from '#runtime/actors/types';
import { findProgram, withProgram } from '#runtime/testing/programs';
import { FollowedActions } from '../actions/followed-actions.ts';
import { serve, TOKENS } from '../testing/server.ts';
import { pages } from './pages.tsx';
import { beyondTheEdge, PageBrowser, seriousFaults, untilLive } from './testing/browser.ts';
import { HOSTILE, sampleActions, sampleTree, sampleView } from './testing/sample.ts';

const test = anyTest as TestFn;
const inChromium = withProgram(test.serial as TestFn, 'chromium');

const ADDRESSES = [
  '/login',
  '/',
  '/tree',
  '/tree?q=SP+4',
  '/objects/4711.0',
  '/peers',
  '/search?q=jpg',
  '/audit',
  '/confirm?action=ban-peer&target=4',
  '/confirm?action=reject&target=4711.0',
  '/objects/nothing',
  '/nowhere/at/all',
];

const actions = sampleActions();
/** The actors of the only node; a test may exchange them. */
let trees: readonly TreeNode[];
let stopServer: () => unknown = () => undefined;
let browser: PageBrowser;

test.before(async (t) => {
  const chromium = findProgram('chromium');
  if (chromium === undefined) return;
  const view = { ...sampleView(), trees: async () => ({ trees, silent: ['sp-1@c'] }) };
  const followed = new FollowedActions(actions, 1);
  const { app, errorPage } = await pages({ view, actions: followed });
  const { port } = await serve(
    {
      teardown: (stop) => {
        stopServer = stop;
      },
    },
    { view, parts: [app], errorPage },
  );
  browser = await PageBrowser.launch(chromium, `http://127.0.0.1:${port}`);
  t.pass();
});
test.beforeEach(() => {
  trees = [sampleTree('sp-1@a', 3)];
});
test.after.always(async () => {
  await browser?.close();
  await stopServer();
});

inChromium('no page is wider than the window, on a phone, a tablet or a desktop', async (t) => {
  const page = await browser.logIn(TOKENS.act);
  for (const address of ADDRESSES) {
    await page.goto(address);
    for (const width of [360, 768, 1024, 1440]) {
      await page.setViewportSize({ width, height: 800 });
      t.true((await beyondTheEdge(page)) <= 0, `${address} at ${width}`);
    }
  }
});

for (const [scheme, width] of [
  ['light', 1440],
  ['dark', 360],
] as const) {
  inChromium(
    `axe finds nothing serious on any page in ${scheme} colours, ${width} pixels wide`,
    async (t) => {
      const page = await browser.logIn(TOKENS.act, { scheme, width });
      for (const address of ADDRESSES) {
        await page.goto(address);
        t.deepEqual(await seriousFaults(page), [], address);
      }
    },
  );
}

inChromium('an open page shows what has changed, and keeps everything else', async (t) => {
  const page = await browser.logIn(TOKENS.view, {}, '/tree');
  await untilLive(page);
  const row = (name: string) => page.locator('#tree tr', { hasText: name });
  await row('objects').getByRole('button').click();
  await row('object/4713.0').waitFor();
  await row('object/4712.0').getByRole('button').focus();
  const mark = `document.querySelectorAll('#tree tr').forEach((row) => { row.mark = 1; })`;
  await page.evaluate(mark);
  const [root] = trees as [TreeNode];
  const [objects, ...others] = root.children as [TreeNode, ...TreeNode[]];
  const [first, ...rest] = objects.children as [TreeNode, ...TreeNode[]];
  const activity = { doing: 'SEAL_OBJECT_DOING', since: Date.now() };
  trees = [{ ...root, children: [{ ...objects, children: [...rest, { ...first, activity }] }, ...others] }];
  await row('SEAL_OBJECT_DOING').waitFor();
  const names = await page.locator('#tree tr th').allInnerTexts();
  t.deepEqual(
    names.flatMap((name) => /47\d\d/.exec(name) ?? []),
    ['4712', '4713', '4711'],
  );
  t.is(
    await page.evaluate(`[...document.querySelectorAll('#tree tr')].filter((row) => !row.mark).length`),
    0,
  );
  t.is(await page.evaluate(`document.activeElement.closest('tr').textContent.includes('4712')`), true);
});

inChromium('the tree can be used by the keyboard alone', async (t) => {
  const page = await browser.logIn(TOKENS.view, {}, '/tree');
  await untilLive(page);
  const focused = () =>
    page.evaluate(`document.activeElement.closest('tr')?.querySelector('th').innerText ?? ''`);
  await page.locator('#tree button.toggle').first().focus();
  await page.keyboard.press('ArrowRight');
  await page.locator('#tree tr', { hasText: 'object/4711.0' }).waitFor();
  await page.keyboard.press('ArrowDown');
  t.regex(String(await focused()), /4711/);
  await page.keyboard.press('ArrowDown');
  t.regex(String(await focused()), /4712/);
  await page.keyboard.press('ArrowLeft');
  t.regex(String(await focused()), /objects/);
  await page.keyboard.press('ArrowLeft');
  await page.locator('#tree tr', { hasText: 'object/4711.0' }).waitFor({ state: 'detached' });
  await page.keyboard.press('/');
  await page.keyboard.type('seal');
  await page.locator('#tree tr', { hasText: 'objects' }).waitFor({ state: 'detached' });
  t.regex(page.url(), /q=seal/);
});

inChromium('without a script the tree opens and filters, and an action is asked for and done', async (t) => {
  const page = await browser.logIn(TOKENS.act, { script: false }, '/tree');
  const row = (name: string) => page.locator('#tree tr', { hasText: name });
  await row('objects').getByRole('button').click();
  t.is(await row('object/').count(), 3);
  t.false(page.url().includes('toggle'));
  await row('object/4712.0').getByRole('button').click();
  t.is(await row('encoder').count(), 1);
  await row('objects').first().getByRole('button').first().click();
  t.is(await row('object/').count(), 0);
  await page.getByLabel('Kind').selectOption('encoder');
  await page.getByRole('button', { name: 'Filter' }).click();
  t.is(await row('encoder').count(), 3);
  await page.goto('/objects/4711.0');
  await page.getByRole('link', { name: 'Try again now' }).click();
  await page.getByLabel('Reason').fill('a customer asks');
  await page.getByRole('button', { name: 'Try again now' }).click();
  await page.getByText('It was done').waitFor();
  t.deepEqual(actions.performed.splice(0), [
    { action: 'retry', target: '4711.0', reason: 'a customer asks', by: { role: 'act', name: 'ann' } },
  ]);
  await page.getByRole('link', { name: 'Back to' }).click();
  t.regex(page.url(), /\/objects\/4711\.0$/);
});

inChromium('with a script an action is asked for in a dialog, and can be left', async (t) => {
  const page = await browser.logIn(TOKENS.act, {}, '/peers');
  await page.locator('#peer-2').getByRole('link', { name: 'Ban' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Ban SP 2?').waitFor();
  await dialog.getByRole('link', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
  t.deepEqual(actions.performed, []);
  await page.locator('#peer-2').getByRole('link', { name: 'Ban' }).click();
  await dialog.locator('select').selectOption('1 hour');
  await dialog.getByRole('button', { name: 'Ban' }).click();
  await page.getByText('It was done').waitFor();
  t.like(actions.performed.splice(0)[0], { action: 'ban-peer', target: '2', minutes: 60 });
});

inChromium('an action that takes long is followed on a page of its own until its end', async (t) => {
  const page = await browser.logIn(TOKENS.act, {}, '/objects/4711.0');
  const end = gate();
  actions.slow = end.opened;
  await page.getByRole('link', { name: 'Verify and repair' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Verify and repair' }).click();
  await page.getByRole('heading', { name: 'Verify and repair: in progress' }).waitFor();
  await page.getByText('1 of 3 segments').waitFor();
  t.deepEqual(await seriousFaults(page), []);
  end.open();
  await page.getByRole('heading', { name: 'Verify and repair: done' }).waitFor();
  actions.slow = undefined;
  t.like(actions.performed.splice(0)[0], { action: 'repair', target: '4711.0' });
});

inChromium('who may only look sees no buttons, and is refused', async (t) => {
  const page = await browser.logIn(TOKENS.view, {}, '/objects/4711.0');
  t.is(await page.locator('[data-confirm]').count(), 0);
  await page.goto('/confirm?action=retry&target=4711.0');
  await page.getByText('role-missing').waitFor();
  const { status } = (await page.evaluate(
    `fetch('/actions', { method: 'POST', body: new URLSearchParams({ action: 'retry', target: '4711.0' }) })
      .then(({ status }) => ({ status }))`,
  )) as { status: number };
  t.is(status, 403);
  t.deepEqual(actions.performed, []);
});

inChromium('an address that is not there answers with a page that leads back', async (t) => {
  const page = await browser.logIn(TOKENS.view);
  const answer = await page.goto('/nowhere/at/all');
  t.is(answer?.status(), 404);
  await page.getByRole('heading', { name: 'This was not found' }).waitFor();
  await page.getByRole('main').getByRole('link', { name: 'Overview' }).click();
  await page.locator('#tiles').waitFor();
  const data = await page.goto('/api/nowhere');
  t.is(data?.headers()['content-type'], 'application/json', 'addresses for machines answer with data');
});

inChromium('a page is shown after the login alone, and no longer after the logout', async (t) => {
  const page = await browser.open();
  await page.goto('/peers');
  t.is(new URL(page.url()).pathname, '/login');
  await page.getByLabel('Token').fill('not the token');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('alert').waitFor();
  await page.getByLabel('Token').fill(TOKENS.view);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.locator('#peer-2').waitFor();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.goto('/');
  t.is(new URL(page.url()).pathname, '/login');
});

inChromium('text from outside remains text, and the content security policy had nothing to do', async (t) => {
  const page = await browser.logIn(TOKENS.act);
  for (const address of ADDRESSES) {
    await page.goto(address);
    t.is(await page.locator('script:not([src]), [onclick], [style]').count(), 0, address);
  }
  await page.goto('/audit');
  t.is(await page.getByText(HOSTILE).count(), 1);
  t.deepEqual(browser.complaints, []);
});

import { type Context, Hono } from 'hono';
import { Terminal } from '#protocols/errors';
import type { FollowedActions } from '../actions/followed-actions.ts';
import type { ErrorPage } from '../app.ts';
import { requireRole } from '../door/door.ts';
import type { AdminEnv } from '../door/env.ts';
import type { ProviderView } from '../view/provider-view.ts';
import { actionView, confirmView, type Wanted } from './actions/confirm.tsx';
import { isActionName } from './actions/table.ts';
import { assets } from './assets.ts';
import { errorView } from './error.tsx';
import { Layout } from './layout.tsx';
import { Fragments } from './live/fragments.tsx';
import { LiveStreams } from './live/stream.ts';
import { loginView } from './login.tsx';
import { pageSources } from './sources.ts';
import { toggled } from './tree/open-actors.ts';
import { addressOf, askedOf } from './tree/page.tsx';
import type { View } from './view.ts';
import { viewAt } from './views.ts';

export interface PagesOptions {
  readonly view: ProviderView;
  readonly actions: FollowedActions;
}

export interface Pages {
  readonly app: Hono<AdminEnv>;
  readonly errorPage: ErrorPage;
}

const MAX_TEXT = 200;
const FORM_LIMIT = 4_096;

/**
 * The pages for operators. They work without a script, and are kept up to date with one (`assets/live.js`): `/events`
 * sends what has changed of a page. Who may see and do what is decided by the door.
 */
export async function pages(options: PagesOptions): Promise<Pages> {
  const { view, actions } = options;
  const sources = pageSources(view);
  const streams = new LiveStreams();
  const app = new Hono<AdminEnv>();
  const shown = async (c: Context<AdminEnv>, path: string, query: URLSearchParams, signal: AbortSignal) => {
    const canAct = c.get('identity')?.role === 'act';
    const found = await viewAt({ path, query, canAct }, { view, sources, actions }, signal);
    if (found) return found;
    throw new Terminal({ code: 'not-found', message: `There is no page ${path}.`, advice: 'Begin at /.' });
  };
  const send = (c: Context<AdminEnv>, page: View, status: 200 | 401 = 200) =>
    c.html(html(c, view, page), status);

  app.route('/', await assets());
  app.get('/tree', async (c, next) => {
    // Without a script a button of the tree leads here, and from here to the address of the tree as it is then.
    const query = new URL(c.req.url).searchParams;
    const toggle = query.get('toggle');
    if (toggle === null) return next();
    const asked = askedOf(query);
    return c.redirect(addressOf({ ...asked, open: toggled(asked.open, toggle) }), 303);
  });
  for (const path of ['/', '/tree', '/peers', '/search', '/audit', '/objects/:job', '/actions/:id']) {
    app.get(path, async (c) => {
      const { pathname, searchParams } = new URL(c.req.url);
      return send(c, await shown(c, pathname, searchParams, c.req.raw.signal));
    });
  }
  app.get('/events', async (c) => {
    const { pathname, searchParams } = new URL(c.req.query('page') ?? '/', 'http://page');
    const look = (signal: AbortSignal) => shown(c, pathname, searchParams, signal);
    await look(c.req.raw.signal);
    return streams.answer(c, look);
  });
  app.get('/login', (c) => {
    const isWrong = c.req.query('failed') !== undefined;
    const page = loginView({
      next: c.req.query('next') ?? '/',
      error: isWrong ? 'This token is not known, or there were too many wrong ones: then wait.' : undefined,
    });
    return send(c, page, isWrong ? 401 : 200);
  });
  app.get('/confirm', requireRole('act'), (c) => {
    return send(c, confirmView(wanted(c.req.query('action'), c.req.query('target'))));
  });
  app.post('/actions', requireRole('act'), async (c) => {
    const form = await fields(c);
    const request = wanted(form.get('action'), form.get('target'));
    const reason = form.get('reason')?.trim().slice(0, MAX_TEXT);
    const minutes = Number(form.get('minutes') ?? Number.NaN);
    const state = await actions.begin(
      { ...request, ...(reason && { reason }), ...(minutes > 0 && { minutes }) },
      c.get('identity') ?? { role: 'act' },
    );
    if (!state.isEnded) return c.redirect(`/actions/${state.id}`, 303);
    return send(c, { ...actionView({ ok: true, value: state }), isLive: false });
  });
  return { app, errorPage: (error, c) => html(c, view, errorView(error)) };
}

function html(c: Context<AdminEnv>, { node, spId }: ProviderView, page: View): string {
  const identity = c.get('identity');
  const body = page.body(new Fragments());
  const layout = (
    <Layout
      title={page.title}
      viewer={{ node, spId, ...identity }}
      address={new URL(c.req.url)}
      isLive={page.isLive}
      at={Date.now()}
    >
      {body}
    </Layout>
  );
  return `<!doctype html>${layout}`;
}

/** @throws Terminal `bad-request` */
function wanted(action: string | undefined | null, target: string | undefined | null): Wanted {
  if (action && target && isActionName(action) && target.length <= MAX_TEXT) return { action, target };
  throw badForm();
}

async function fields(c: Context<AdminEnv>): Promise<URLSearchParams> {
  const length = Number(c.req.header('content-length') ?? Number.NaN);
  if (!(length <= FORM_LIMIT)) throw badForm();
  return new URLSearchParams(await c.req.text());
}

function badForm(): Terminal {
  return new Terminal({
    code: 'bad-request',
    message: 'This is not the form of an action.',
    advice: 'Begin at /.',
  });
}

import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { Retryable, type SealionError, Terminal, toSealionError } from '#protocols/errors';
import type { FollowedActions } from './actions/followed-actions.ts';
import { json } from './answers.ts';
import { operatorApi } from './api/api.ts';
import type { OwnNode } from './api/nodes.ts';
import { door, secured, wantsPage } from './door/door.ts';
import type { AdminEnv } from './door/env.ts';
import { Identifier } from './door/identify.ts';
import { login } from './door/login.ts';
import type { Tokens } from './door/tokens.ts';
import { errorAnswer } from './errors.ts';
import { readinessOf, troublesOf } from './report/troubles.ts';
import type { ProviderView } from './view/provider-view.ts';

export interface AdminOptions {
  readonly view: ProviderView;
  readonly own: OwnNode;
  readonly actions: FollowedActions;
  readonly version: string;
  readonly door: {
    readonly tokens: Tokens;
    readonly openLoopback: boolean;
    readonly hosts: readonly string[];
    readonly probes: readonly string[];
  };
  /** Further parts, behind the same door: `/metrics`, the pages. Their paths begin at the root. */
  readonly parts?: readonly Hono<AdminEnv>[];
  /** The page that a browser gets when something could not be had; without it, browsers get JSON too. */
  readonly errorPage?: ErrorPage;
}

/** Renders why something could not be had. */
export type ErrorPage = (error: SealionError, c: Context<AdminEnv>) => string;

/** The admin server: for machines `/health` and `/ready`, the API, and whatever else is mounted. */
export function adminApp({
  view,
  own,
  actions,
  version,
  door: rules,
  parts = [],
  errorPage,
}: AdminOptions): Hono<AdminEnv> {
  const app = new Hono<AdminEnv>();
  const identifier = new Identifier(rules);
  app.use(secured);
  app.use(door({ identifier, ...rules }));
  app.get('/health', async (c) => json(c, await health(own)));
  app.get('/ready', async (c) => json(c, await ready(own)));
  app.route('/', login(identifier, rules.tokens));
  app.route('/', operatorApi({ view, own, actions, version }));
  for (const part of parts) app.route('/', part);
  app.notFound(() => {
    throw new Terminal({
      code: 'not-found',
      message: 'There is nothing at this address.',
      advice: 'The pages begin at /, and /api/openapi.json describes the API.',
    });
  });
  app.onError((thrown, c) => {
    const answer = errorAnswer(thrown, c);
    // A stranger is not shown which node this is.
    if (!errorPage || !wantsPage(c) || !c.get('identity')) return answer;
    return c.html(errorPage(toSealionError(thrown), c), answer.status as ContentfulStatusCode);
  });
  return app;
}

async function health(own: OwnNode) {
  const report = await own.report();
  const { node, spId, durability, readiness, since } = report;
  return { status: 'serving', readiness, node, spId, durability, since, troubles: troublesOf(report) };
}

/** @throws Retryable `not-ready` */
async function ready(own: OwnNode) {
  const report = await own.report();
  const { node, readiness } = report;
  const { isReady, because } = readinessOf(report);
  if (isReady) return { status: readiness, node, troubles: troublesOf(report) };
  throw new Retryable({
    code: 'not-ready',
    message: `${node} is not ready for clients: ${because}.`,
    advice: 'Send clients to another node of the storage provider.',
  });
}

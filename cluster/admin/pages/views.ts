import { parseJobId } from '#protocols/job/identity';
import type { ActionState, FollowedActions } from '../actions/followed-actions.ts';
import type { ProviderView } from '../view/provider-view.ts';
import { auditView } from './actions/audit.tsx';
import { actionView } from './actions/confirm.tsx';
import { type Attempt, attempt } from './components/attempt.tsx';
import { objectView } from './object/page.tsx';
import { overviewView } from './overview/page.tsx';
import { peersView } from './peers/page.tsx';
import { MAX_QUERY, searchView } from './search/page.tsx';
import type { PageSources } from './sources.ts';
import { askedOf, treeView } from './tree/page.tsx';
import type { View } from './view.ts';

/** Jobs on the overview, actions on the audit page. */
const JOBS_SHOWN = 20;
const ACTIONS_SHOWN = 200;

export interface ViewsOptions {
  readonly view: ProviderView;
  readonly sources: PageSources;
  readonly actions: FollowedActions;
}

/** An address of a page that shows data, and whether who looks at it may act. */
export interface Request {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly canAct: boolean;
}

/** The page at an address, with the data of now; undefined when there is none. @throws Terminal `not-found` */
export async function viewAt(
  { path, query, canAct }: Request,
  options: ViewsOptions,
  signal: AbortSignal,
): Promise<View | undefined> {
  const { sources, view, actions } = options;
  switch (path) {
    case '/':
      return overview(canAct, options, signal);
    case '/tree':
      return treeView(await sources.get('trees', signal), askedOf(query), Date.now());
    case '/peers':
      return peersView(await attempt(sources.get('peers', signal)), canAct, Date.now());
    case '/audit':
      return auditView(await attempt(actions.audit(ACTIONS_SHOWN)));
    case '/search': {
      const text = (query.get('q') ?? '').trim().slice(0, MAX_QUERY);
      return text === '' ? searchView('') : searchView(text, await attempt(view.search(text, signal)));
    }
    default: {
      const [, kind, id = ''] = /^\/(objects|actions)\/([^/]+)$/.exec(path) ?? [];
      if (kind === 'objects') return objectView(await view.job(parseJobId(id), signal), canAct);
      return kind === 'actions' ? actionView(await actionOf(id, actions)) : undefined;
    }
  }
}

/** @throws Terminal `not-found` */
async function actionOf(id: string, actions: FollowedActions): Promise<Attempt<ActionState>> {
  const found = await attempt(actions.state(id));
  if (!found.ok && found.error.code === 'not-found') throw found.error;
  return found;
}

async function overview(
  canAct: boolean,
  { view, sources }: ViewsOptions,
  signal: AbortSignal,
): Promise<View> {
  const [nodes, queue, balances, jobs] = await Promise.all([
    attempt(sources.get('nodes', signal)),
    attempt(sources.get('queue', signal)),
    attempt(sources.balances(signal)),
    attempt(view.jobs({ limit: JOBS_SHOWN })),
  ]);
  return overviewView({ nodes, queue, balances, jobs, canAct, now: Date.now() });
}

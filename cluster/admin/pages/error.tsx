import type { SealionError } from '#protocols/errors';
import { Badge } from './components/badge.tsx';
import type { View } from './view.ts';

/** Why a page or an action could not be had, and the way back. */
export function errorView({ code, message, advice }: SealionError): View {
  const isAway = code === 'not-found';
  return {
    title: isAway ? 'Not found' : 'Not done',
    isLive: false,
    body: () => (
      <>
        <h1>{isAway ? 'This was not found' : 'This could not be done'}</h1>
        <div class="answer bad" role="alert">
          <p>
            <strong>{message}</strong> <Badge tone="bad" text={code} />
          </p>
          {advice !== undefined && <p>{advice}</p>}
        </div>
        <p>
          <a href="/">Overview</a>
          {isAway && (
            <>
              {' '}
              · <a href="/search">Search</a>
            </>
          )}
        </p>
      </>
    ),
  };
}

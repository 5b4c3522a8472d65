import type { SealionError } from '#protocols/errors';
import { Badge } from './components/badge.tsx';
import type { View } from './view.ts';

/** Why a page or an action could not be had. */
export function errorView({ code, message, advice }: SealionError): View {
  return {
    title: 'Not done',
    isLive: false,
    body: () => (
      <>
        <h1>This could not be done</h1>
        <div class="answer bad" role="alert">
          <p>
            <strong>{message}</strong> <Badge tone="bad" text={code} />
          </p>
          {advice !== undefined && <p>{advice}</p>}
        </div>
        <p>
          <a href="/">Overview</a>
        </p>
      </>
    ),
  };
}

import type { ActionName } from '../../actions/action.ts';
import type { ActionState } from '../../actions/followed-actions.ts';
import { type Attempt, attempted } from '../components/attempt.tsx';
import type { View } from '../view.ts';
import { ACTION_TEXTS } from './table.ts';

/** What is to be done to what: `4711.0`, `sp-1@a`, or the id of a peer. */
export interface Wanted {
  readonly action: ActionName;
  readonly target: string;
}

const MINUTES = [
  [10, '10 minutes'],
  [60, '1 hour'],
  [24 * 60, '1 day'],
  [7 * 24 * 60, '1 week'],
] as const;

/** The second step of every action. */
export function confirmView(wanted: Wanted): View {
  return { title: ACTION_TEXTS[wanted.action].button, isLive: false, body: () => <Question {...wanted} /> };
}

function Question({ action, target }: Wanted) {
  const { question, consequence, isFinal, back, button, takesMinutes } = ACTION_TEXTS[action];
  return (
    <div id="question">
      <h1 id="question-title">{question(target)}</h1>
      <p>{consequence}</p>
      {isFinal && (
        <p>
          <strong>This cannot be undone.</strong>
        </p>
      )}
      <form method="post" action="/actions">
        <input type="hidden" name="action" value={action} />
        <input type="hidden" name="target" value={target} />
        <div class="fields">
          {takesMinutes && (
            <label>
              For
              <select name="minutes">
                {MINUTES.map(([minutes, text]) => (
                  <option value={String(minutes)}>{text}</option>
                ))}
              </select>
            </label>
          )}
          <label>
            Reason, for the record
            <input name="reason" maxlength={200} autocomplete="off" />
          </label>
        </div>
        <div class="acts">
          <button type="submit" class={isFinal ? 'danger' : 'main'}>
            {button}
          </button>
          <a class="button" href={back(target)} data-cancel>
            Cancel
          </a>
        </div>
      </form>
    </div>
  );
}

/** How an action stands, or what came of it; kept up to date until then. */
export function actionView(found: Attempt<ActionState>): View {
  return {
    title: 'Action',
    isLive: true,
    body: (live) => (
      <div id="action">
        {live.part(
          'action',
          attempted(found, (state) => <Standing {...state} />),
        )}
      </div>
    ),
  };
}

function Standing({ action, target, outcome, isEnded }: ActionState) {
  const { button, back } = ACTION_TEXTS[action];
  return (
    <>
      <h1>
        {button}: {isEnded ? 'done' : 'in progress'}
      </h1>
      <div class={`answer ${isEnded ? 'good' : 'busy'}`}>
        <p>{outcome === '' ? 'How far it is, the node knows that does it.' : outcome}</p>
        {!isEnded && <p>It goes on without this page, and its end is recorded.</p>}
      </div>
      <p>
        <a href={back(target)}>Back to {target}</a> · <a href="/audit">All actions</a>
      </p>
    </>
  );
}

import type { ActionName } from '../../actions/action.ts';
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

/** What became of an action. */
export function outcomeView({ action, target }: Wanted, outcome: string): View {
  return {
    title: 'Done',
    isLive: false,
    body: () => (
      <>
        <h1>{ACTION_TEXTS[action].button}: done</h1>
        <div class="answer good">
          <p>{outcome}</p>
        </div>
        <p>
          <a href={ACTION_TEXTS[action].back(target)}>Back to {target}</a> · <a href="/audit">All actions</a>
        </p>
      </>
    ),
  };
}

import type { ActionName } from '../../actions/action.ts';
import { ACTION_TEXTS } from './table.ts';

/** Leads to the question whether an action is wanted; with a script it is asked in a dialog on the same page. */
export function ActionLink({ action, target }: { readonly action: ActionName; readonly target: string }) {
  const query = new URLSearchParams({ action, target });
  return (
    <a class="button" href={`/confirm?${query}`} data-confirm>
      {ACTION_TEXTS[action].button}
    </a>
  );
}

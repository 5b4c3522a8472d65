import type { JobStateName } from '#protocols/job/states';

/** How something stands, beside the word that says so: colour alone says nothing. */
export type Tone = 'good' | 'busy' | 'wait' | 'bad' | 'plain';

export function Badge({ tone, text }: { readonly tone: Tone; readonly text: string }) {
  return <span class={`badge ${tone}`}>{text}</span>;
}

export function StateBadge({ state }: { readonly state: JobStateName }) {
  return <Badge tone={toneOf(state)} text={state} />;
}

export function toneOf(state: JobStateName): Tone {
  if (state === 'SEAL_OBJECT_DONE') return 'good';
  if (state === 'OBJECT_DISCONTINUED') return 'bad';
  if (state.endsWith('_ERROR')) return 'wait';
  return state === 'INIT_UNSPECIFIED' ? 'plain' : 'busy';
}

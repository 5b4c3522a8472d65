import { ACTIONS, type ActionName } from '../../actions/action.ts';

export interface ActionText {
  /** On the button that leads to the question. */
  readonly button: string;
  /** Asks, with the target in it. */
  readonly question: (target: string) => string;
  /** What happens, and what does not. */
  readonly consequence: string;
  /** Whether it can be undone. */
  readonly isFinal: boolean;
  /** The page of what is acted upon. */
  readonly back: (target: string) => string;
  /** Whether it asks for how long. */
  readonly takesMinutes?: true;
}

const ofObject = (target: string) => `/objects/${target}`;
const overview = () => '/';
const peers = () => '/peers';

/** Every action in the words of the page that asks for confirmation. */
export const ACTION_TEXTS: Readonly<Record<ActionName, ActionText>> = {
  retry: {
    button: 'Try again now',
    question: (target) => `Try ${target} again now?`,
    consequence: 'The job does not wait for the time of its next try. Nothing else changes.',
    isFinal: false,
    back: ofObject,
  },
  reject: {
    button: 'Give up and reject on chain',
    question: (target) => `Give up ${target} and reject it on chain?`,
    consequence:
      'The object is never sealed, its owner gets the fee back, and what is stored of it is deleted. It is refused while a signed seal can still be included.',
    isFinal: true,
    back: ofObject,
  },
  repair: {
    button: 'Verify and repair',
    question: (target) => `Read everything that is stored of ${target}, and repair what is damaged?`,
    consequence:
      'Every piece here is read and compared with the chain; what is lost is restored from other providers.',
    isFinal: false,
    back: ofObject,
  },
  drain: {
    button: 'Drain',
    question: (target) => `Drain ${target}?`,
    consequence:
      'It accepts no new upload, job, offer or ask, and its jobs pass to other nodes. What is in progress continues. It runs until it is stopped.',
    isFinal: false,
    back: overview,
  },
  undrain: {
    button: 'End draining',
    question: (target) => `End the draining of ${target}?`,
    consequence: 'It accepts uploads, jobs, offers and asks again.',
    isFinal: false,
    back: overview,
  },
  'pause-intake': {
    button: 'Pause uploads',
    question: (target) => `Pause uploads to ${target}?`,
    consequence: 'New uploads are refused with "try again later". Jobs and downloads continue.',
    isFinal: false,
    back: overview,
  },
  'resume-intake': {
    button: 'Accept uploads again',
    question: (target) => `Accept uploads to ${target} again?`,
    consequence: 'New uploads are accepted.',
    isFinal: false,
    back: overview,
  },
  'ban-peer': {
    button: 'Ban',
    question: (target) => `Ban SP ${target}?`,
    consequence:
      'It is not asked for room, and nothing of it is accepted, until the time is over. Columns that it holds stay where they are.',
    isFinal: false,
    back: peers,
    takesMinutes: true,
  },
  'unban-peer': {
    button: 'End the ban',
    question: (target) => `End the ban of SP ${target}?`,
    consequence: 'It is asked for room again, and may ask.',
    isFinal: false,
    back: peers,
  },
  'forget-node': {
    button: 'Forget',
    question: (target) => `Forget ${target}?`,
    consequence: 'It is no longer listed as silent. If it starts again, it is listed as before.',
    isFinal: false,
    back: overview,
  },
};

export function isActionName(text: string): text is ActionName {
  return (ACTIONS as readonly string[]).includes(text);
}

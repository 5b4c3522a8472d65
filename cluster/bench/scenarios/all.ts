import type { Scenario } from '../scenario.ts';
import { small } from './small.ts';

/** In the order in which they are run. */
export const SCENARIOS: readonly Scenario[] = [small];

import type { Scenario } from '../scenario.ts';
import { backlog } from './backlog.ts';
import { burst } from './burst.ts';
import { capacity } from './capacity.ts';
import { cost } from './cost.ts';
import { erasure } from './erasure.ts';
import { fairness } from './fairness.ts';
import { large } from './large.ts';
import { load } from './load.ts';
import { memory } from './memory.ts';
import { page } from './page.ts';
import { reads } from './reads.ts';
import { roles } from './roles.ts';
import { small } from './small.ts';
import { takeover } from './takeover.ts';
import { wires } from './wires.ts';

/** In the order in which they are run. */
export const SCENARIOS: readonly Scenario[] = [
  erasure,
  small,
  burst,
  large,
  reads,
  fairness,
  backlog,
  page,
  memory,
  wires,
  takeover,
  roles,
  cost,
  load,
  capacity,
];

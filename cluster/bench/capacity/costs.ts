import type { Figure } from '../figures.ts';
import { COST_SIZES } from '../scenarios/cost.ts';
import type { Cost, Costs } from './demand.ts';

/** CPU time that each party of an upload uses: ms per object, and per MB of it. */
interface PartyCosts {
  readonly primary: PartyCost;
  readonly secondary: PartyCost;
  /** The devnet's nats-server, which serves all seven SPs. */
  readonly nats: PartyCost;
}

interface PartyCost {
  readonly object: number;
  readonly megabyte: number;
}

/** The last results of the bench (cluster/bench/README.md#results), for predictions without own measurements. */
const MEASURED: PartyCosts = {
  primary: { object: 124, megabyte: 44 },
  secondary: { object: 26, megabyte: 5.6 },
  nats: { object: 22, megabyte: 13.4 },
};

/** Shares of an object that the seven stores hold: all of it at the primary, a quarter at each secondary. */
const [PARTIES, WHOLE, COLUMN] = [7, 1, 1 / 4];
const STORED = WHOLE + 6 * COLUMN;

export const COSTS: Costs = modelCosts(MEASURED);

/** The costs in a report with the scenarios `small` and `cost`; otherwise `MEASURED`. */
export function costsFrom(figures: readonly Figure[]): { readonly costs: Costs; readonly from: string } {
  const party = (name: string) => partyCost(name, figures);
  const [primary, secondary, nats] = [party('primary'), party('secondary'), party('nats')];
  if (!primary || !secondary || !nats) return { costs: COSTS, from: 'as measured last' };
  return { costs: modelCosts({ primary, secondary, nats }), from: 'as measured in this run' };
}

/** The cost per object comes from many concurrent small objects, the cost per byte from single large ones. */
function partyCost(party: string, figures: readonly Figure[]): PartyCost | undefined {
  const value = (name: string) => figures.find((figure) => figure.name === name)?.value;
  const object = value(`small.cpu-${party}`);
  const bySize = COST_SIZES.flatMap(({ name, bytes }) => {
    const ms = value(`cost.cpu-${party}-${name}`);
    return ms === undefined ? [] : [{ ms, megabytes: bytes / 1e6 }];
  });
  const [least, most] = [bySize[0], bySize.at(-1)];
  if (object === undefined || !least || !most || most === least) return undefined;
  const megabyte = Math.max(0, (most.ms - least.ms) / (most.megabytes - least.megabytes));
  return { object, megabyte };
}

function modelCosts({ primary, secondary, nats }: PartyCosts): Costs {
  const cost = ({ object, megabyte }: PartyCost, ofObject = 1, ofBytes = 1): Cost => ({
    perObject: (ofObject * object) / 1e3,
    perByte: (ofBytes * megabyte) / 1e9,
  });
  return {
    primary: cost(primary),
    secondary: cost(secondary),
    storePrimary: cost(nats, 1 / PARTIES, WHOLE / STORED),
    storeSecondary: cost(nats, 1 / PARTIES, COLUMN / STORED),
  };
}

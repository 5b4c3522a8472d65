import test from 'ava';
import fc from 'fast-check';
import { type FigureKind, summarise } from '../figures.ts';
import { COSTS, costsFrom } from './costs.ts';
import type { Setting } from './demand.ts';
import { predict } from './model.ts';
import { Random } from './random.ts';
import { simulate } from './simulation.ts';

const MACHINE = { nodes: 1, storeCores: 4, linkRate: 1.25e8, diskRate: 5e8 };

const SETTING: Setting = {
  sps: 20,
  objectsPerSecond: 10,
  objectBytes: 65_536,
  segmentBytes: 2 ** 24,
  machine: MACHINE,
  chain: { blockSeconds: 2, sealsPerBlock: 2_000 },
  costs: COSTS,
};

/** Maximum relative difference between model and simulation, as stated in cluster/bench/README.md#capacity. */
const TOLERANCE = 0.25;

test('the model agrees with the simulation on the times to acknowledgement and seal', (t) => {
  fc.assert(
    fc.property(
      fc.record({
        sps: fc.integer({ min: 10, max: 60 }),
        objectBytes: fc.constantFrom(65_536, 2_000_000, 2 ** 26),
        load: fc.double({ min: 0.1, max: 0.6, noNaN: true }),
        linkRate: fc.constantFrom(1.25e8, 1.25e9),
        diskRate: fc.constantFrom(2e8, 2e9),
        nodes: fc.constantFrom(1, 4),
        seed: fc.nat(),
      }),
      ({ sps, objectBytes, load, linkRate, diskRate, nodes, seed }) => {
        const machine = { ...MACHINE, linkRate, diskRate, nodes };
        const idle = { ...SETTING, sps, objectBytes, machine };
        const setting = { ...idle, objectsPerSecond: load * predict(idle).limit };
        const model = predict(setting);
        const observed = simulate(setting, 6_000, new Random(seed));
        const near = (a: number, b: number) => Math.abs(a - b) <= TOLERANCE * b;
        return near(model.ackSeconds, observed.ackSeconds) && near(model.sealSeconds, observed.sealSeconds);
      },
    ),
    // Shrinking would take minutes of simulation.
    { numRuns: 10, endOnFailure: true },
  );
  t.pass();
});

test('beyond the limit of the model, the queues of the simulation grow without end', (t) => {
  const { limit } = predict(SETTING);
  const over = { ...SETTING, objectsPerSecond: 1.3 * limit };
  t.is(predict(over).sealSeconds, Number.POSITIVE_INFINITY);
  const [short, long] = [2_000, 8_000].map((objects) => simulate(over, objects, new Random(1)).sealSeconds);
  t.true((long ?? 0) > 2 * (short ?? 0));
});

test('twice as many storage providers take twice as much, as long as the chain does', (t) => {
  const twice = predict({ ...SETTING, sps: 2 * SETTING.sps });
  t.true(Math.abs(twice.limit / predict(SETTING).limit - 2) < 1e-9);
  const chain = { blockSeconds: 2, sealsPerBlock: 10 };
  const bound = predict({ ...SETTING, chain });
  t.is(bound.bottleneck, 'chain');
  t.true(Math.abs(bound.limit - 5) < 1e-9);
});

test('equal seeds give equal simulations', (t) => {
  const run = (seed: number) => simulate(SETTING, 500, new Random(seed));
  t.deepEqual(run(7), run(7));
  t.notDeepEqual(run(7), run(8));
});

test('costs come from what was measured: of many small objects, and of single large ones', (t) => {
  const kind: Omit<FigureKind, 'name'> = { title: '', unit: 'ms', better: 'less' };
  const figure = (scenario: string, name: string, value: number) =>
    summarise(scenario, { ...kind, name }, [{ value }]);
  const figures = ['primary', 'secondary', 'nats'].flatMap((party) => [
    figure('small', `cpu-${party}`, 70),
    figure('cost', `cpu-${party}-64KiB`, 200),
    figure('cost', `cpu-${party}-64MiB`, 200 + 10 * ((2 ** 26 - 2 ** 16) / 1e6)),
  ]);
  const { costs, from } = costsFrom(figures);
  t.is(from, 'as measured in this run');
  t.is(costs.primary.perObject, 0.07);
  t.true(Math.abs(costs.primary.perByte - 1e-8) < 1e-12);
  t.is(costs.storeSecondary.perObject, 0.01);
  t.true(Math.abs(costs.storePrimary.perByte + 6 * costs.storeSecondary.perByte - 1e-8) < 1e-12);
  t.is(costsFrom(figures.slice(1)).costs, COSTS);
});

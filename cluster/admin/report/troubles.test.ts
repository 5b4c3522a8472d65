import test from 'ava';
import { reportOf } from '../testing/view.ts';
import { troublesOf } from './troubles.ts';

test('what a node depends on is named when it is not as it should be', (t) => {
  t.deepEqual(troublesOf(reportOf('sp-1@a')), []);
  const report = reportOf('sp-1@a', {
    fenced: true,
    nats: { connected: false, versions: [], jetStream: false, peersConnected: false },
    chain: { lagMs: 40_000 },
    records: { reachable: false },
    disk: { freeBytes: 10, reserveBytes: 20 },
  });
  t.deepEqual(
    troublesOf(report).map(({ blocks }) => blocks),
    [true, true, false, false, false, false],
  );
  const leaseLosses = { times: 1, jobs: 2, roles: 1, lastAt: 1_000 };
  t.is(troublesOf(reportOf('sp-1@a', { leaseLosses }), 2_000).length, 1);
  t.is(troublesOf(reportOf('sp-1@a', { leaseLosses }), 2 * 3_600_000).length, 0, 'it is long ago');
  t.is(troublesOf(reportOf('sp-1@a', { chain: { error: 'chain-unavailable' } })).length, 1);
});

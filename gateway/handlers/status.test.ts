import test from 'ava';
import { parseSpStatus } from '#protocols/greenfield/sp-status';
import { testGateway } from '../testing/gateway.ts';
import { SP_HOST } from '../testing/keys.ts';

test('the status shows the provider, its chain and its height', async (t) => {
  const { app, chain } = testGateway(t);
  chain.blockTime = 1_700_000_000_000;
  const response = await app.request(`http://${SP_HOST}/status`);
  t.is(response.status, 200);
  t.is(response.headers.get('Content-Type'), 'application/json');
  t.deepEqual(parseSpStatus(await response.text()), {
    operatorAddress: chain.providers[0]?.operatorAddress ?? '',
    domain: 'sp1.localhost',
    chainId: 'greenfield_9000-1741',
    blockHeight: 7,
    blockTime: 1_700_000_000_000,
    takesPieces: false,
  });
});

test('repeated status requests do not query the chain', async (t) => {
  const { app, chain } = testGateway(t);
  const asked = Array.from({ length: 20 }, () => app.request(`http://${SP_HOST}/status`));
  for (const response of await Promise.all(asked)) t.is(response.status, 200);
  t.true(chain.blocksAsked < 20);
});

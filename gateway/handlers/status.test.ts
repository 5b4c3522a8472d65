import test from 'ava';
import { testGateway } from '../testing.ts';
import { SP_HOST } from '../testing-keys.ts';

test('a provider says who it is, and of which chain', async (t) => {
  const { app, chain } = testGateway(t);
  const response = await app.request(`http://${SP_HOST}/status`);
  t.is(response.status, 200);
  t.deepEqual(await response.json(), {
    status: {
      storage_provider_info: {
        sp_operator_address: chain.providers[0]?.operatorAddress,
        sp_domain_name: 'sp1.localhost',
      },
      chain_info: { chain_id: 'greenfield_9000-1741' },
    },
  });
});

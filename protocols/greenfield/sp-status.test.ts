import test from 'ava';
import { formatSpStatus, parseSpStatus } from './sp-status.ts';

test('a status is read back as written, in whole seconds', (t) => {
  const status = {
    chainId: 'greenfield_9000-1741',
    operatorAddress: '0x19',
    domain: 'sp.example.com',
    takesPieces: false,
    blockHeight: 7,
    blockTime: 1_700_000_001_999,
  };
  t.deepEqual(parseSpStatus(formatSpStatus(status)), { ...status, blockTime: 1_700_000_001_000 });
});

test("the status of today's SPs is understood", (t) => {
  const answer = `{"status":{"block_syncer_info":{"bs_block_height":"12345","bs_block_hash":"0xab","bs_update_time":"1700000000",
    "bs_mysql_version":"8.0","bs_modules":["epoch"],"bs_workers":50,"bs_enable_dual_db":false},
    "storage_provider_info":{"sp_code_version":"v1.10.1","sp_operator_address":"0x19","sp_monthly_free_quota":"0"},
    "chain_info":{"chain_id":"greenfield_1017-1","chain_address":["https://rpc"]},"manager_info":{"enable_load_task":true}}}`;
  t.deepEqual(parseSpStatus(answer), {
    chainId: 'greenfield_1017-1',
    operatorAddress: '0x19',
    domain: '',
    takesPieces: true,
    blockHeight: 12345,
    blockTime: 1_700_000_000_000,
  });
});

test('any other text is not a status', (t) => {
  for (const json of [
    '',
    '{}',
    '[]',
    '{"status":{}}',
    '<Error/>',
    '{"status":{"block_syncer_info":{"bs_update_time":"soon"}}}',
  ]) {
    t.throws(() => parseSpStatus(json), { code: 'bad-sp-status' }, json);
  }
});

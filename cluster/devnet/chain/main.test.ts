import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { fromHex } from '#protocols/greenfield/hex';
import { connectChain } from '#runtime/chain/connect';
import { accountKey } from '#runtime/keys/keyring';
import { ChainAccount } from '../../client/chain-account.ts';
import { compiledProgram } from '../../compiled.ts';
import { buildGenesis } from '../genesis.ts';
import { DevnetProcess } from '../process.ts';

test('a chain process keeps its blocks across a kill', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sealion-chain-'));
  const genesis = buildGenesis({ endpoint: (id) => `http://sp${id}.localhost:9033` });
  const file = join(directory, 'genesis.json');
  await writeFile(file, JSON.stringify(genesis.chain));
  const process = new DevnetProcess({
    name: 'chain',
    program: compiledProgram('devnet/chain/main'),
    args: ['--genesis', file, '--data', join(directory, 'data'), '--block-time', '30'],
    logFile: join(directory, 'log'),
    onCrash: (error) => t.fail(error.message),
  });
  t.teardown(async () => {
    await process.stop();
    await rm(directory, { recursive: true, force: true });
  });
  const connect = async () => {
    const { rpc } = await process.start();
    return connectChain({ rpc: `http://127.0.0.1:${rpc}`, chainId: genesis.chain.chainId });
  };

  const before = await connect();
  const [account] = genesis.accounts;
  const [sp] = genesis.chain.sps;
  if (!account || !sp) return t.fail();
  const user = new ChainAccount(before, accountKey(fromHex(account.privateKey)));
  await user.createBucket({ bucketName: 'bucket', primarySpAddress: sp.operatorAddress, familyId: 1 });
  const { height } = await before.latestBlock();
  await process.kill();

  const after = await connect();
  t.is((await after.bucket('bucket'))?.owner, account.address);
  t.true((await after.latestBlock()).height >= height);
  t.is((await after.account(account.address))?.sequence, 1);
  await process.stop();
  t.notRegex(await readFile(join(directory, 'log'), 'utf8'), /"level":(50|60)/);
});

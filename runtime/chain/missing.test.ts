import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { connectChain } from './connect.ts';
import { BROKEN_REQUEST_ANSWER, MISSING_ANSWERS } from './missing-answers.fixture.ts';

const ANSWERS: Readonly<Record<string, { code: number; log: string; codespace: string }>> = {
  ...MISSING_ANSWERS,
  '/greenfield.storage.Query/HeadObjectById': BROKEN_REQUEST_ANSWER,
};

/** A node that knows nothing, and answers every query as a real node did. */
async function startNode(t: ExecutionContext): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { id, params } = JSON.parse(Buffer.concat(chunks).toString()) as {
        id: number;
        params: { path: string };
      };
      const verdict = ANSWERS[params.path];
      const answer = {
        ...verdict,
        info: '',
        index: '0',
        key: null,
        value: null,
        proofOps: null,
        height: '7',
      };
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { response: answer } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a real node's answers for missing things are recognised", async (t) => {
  const chain = await connectChain({ rpc: await startNode(t), chainId: 'greenfield_9000-121' });
  t.teardown(() => chain.close());
  t.is(await chain.bucket('nothing'), undefined);
  t.is(await chain.object('nothing', 'nothing'), undefined);
  t.is(await chain.family(99), undefined);
  t.is(await chain.gvg(99), undefined);
  t.is(await chain.account('0x0000000000000000000000000000000000009999'), undefined);
  t.false(await chain.isAllowed('', 'nothing', '', 6));
});

test('a request that a real node cannot read is an error, not a "not found"', async (t) => {
  const chain = await connectChain({ rpc: await startNode(t), chainId: 'greenfield_9000-121' });
  t.teardown(() => chain.close());
  await t.throwsAsync(chain.objectById('1'), { code: 'chain-refused', message: /unexpected EOF/ });
});

import test from 'ava';
import { silentLogger } from '../../../telemetry/logger.ts';
import { noSizes } from '../../../telemetry/sizes.ts';
import {
  approvedOffer,
  codecOf,
  joinHome,
  joinPlane,
  makeSample,
  receiptFor,
  startServer,
  until,
} from '../../testing/peers.ts';
import { PEER_TIMES } from '../connect-peers.ts';
import { FLOW_LIMITS } from '../limits.ts';
import { SenderLimits } from '../sender-limits.ts';
import { mailSubject } from '../subjects.ts';
import { Mailboxes } from './mailboxes.ts';
import { Receipts } from './receipts.ts';

const COLUMNS = 300;

test('an SP whose receipts match nothing is soon ignored, and another one is still heard', async (t) => {
  const server = await startServer();
  const [peers, home, rogue, honest] = await Promise.all([
    joinPlane(server.url, 1),
    joinHome(server.url, 1),
    joinPlane(server.url, 3),
    joinPlane(server.url, 2),
  ]);
  const closing = new AbortController();
  t.teardown(async () => {
    closing.abort();
    await Promise.all([peers, home, rogue, honest].map((connection) => connection.close()));
    await server.stop();
  });
  const context = {
    spId: 1,
    connection: peers,
    codec: codecOf(1),
    limits: FLOW_LIMITS,
    times: PEER_TIMES,
    log: silentLogger,
    sizes: noSizes,
    senderLimits: new SenderLimits(silentLogger),
    closed: closing.signal,
  };
  const mailboxes = await Mailboxes.open({
    home,
    spId: 1,
    replicas: 1,
    ackWaitMs: PEER_TIMES.ackWait,
  });
  const receipts = new Receipts(context, mailboxes, home);
  await receipts.start();

  const heard = new Map([
    [2, 0],
    [3, 0],
  ]);
  const send = async (connection: typeof peers, from: number, objectId: string) => {
    const about = { job: { objectId, version: 0 }, gvgId: 77, redundancyIndex: 0 };
    const column = { job: about.job, redundancyIndex: 0, from, to: 1 };
    receipts.listen(column, about, async () => {
      heard.set(from, (heard.get(from) ?? 0) + 1);
      return false;
    });
    const message = await codecOf(from).seal({
      kind: 'receipt',
      to: 1,
      about,
      expiresAt: Date.now() + 60_000,
      body: { re: '00'.repeat(16), ...signatures },
    });
    connection.publish(mailSubject('receipt', column), message.bytes);
  };
  const { integrityHash, approvalSignature, blsSignature } = receiptFor(
    await approvedOffer(1, makeSample(1, 1), 3),
    '00'.repeat(32),
  );
  const signatures = { integrityHash, approvalSignature, blsSignature };
  for (let i = 1; i <= COLUMNS; i++) await send(rogue, 3, String(i));
  await rogue.flush();
  await send(honest, 2, '1000');
  await until(() => heard.get(2) === 1);
  t.true((heard.get(3) ?? COLUMNS) < COLUMNS, `${heard.get(3)} of ${COLUMNS} were looked at`);
});

import test from 'ava';
import type { ControlHeader } from '../control/header.ts';
import { sealControl } from '../control/message.ts';
import { Terminal } from '../errors.ts';
import { addressOf } from '../greenfield/address.ts';
import { publicKeyOf, signDigest } from '../greenfield/signature.ts';
import {
  type ApprovalCheck,
  type ApprovedOffer,
  checkOwnApproval,
  checkOwnStandingApproval,
} from './own-approval.ts';

const OURS = new Uint8Array(32).fill(0x11);
const THEIRS = new Uint8Array(32).fill(0x12);
const NOW = 1_700_000_000_000;
const NONCE = '0'.repeat(32);
const CHECK: ApprovalCheck = {
  chainId: 'greenfield_9000-1741',
  now: NOW + 1,
  operatorAddress: addressOf(publicKeyOf(OURS)),
};
const HEADER: ControlHeader<'approval'> = {
  kind: 'approval',
  chainId: CHECK.chainId,
  from: 2,
  to: 1,
  job: { objectId: '4711', version: 0 },
  gvgId: 0,
  redundancyIndex: 0,
  issuedAt: NOW,
  expiresAt: NOW + 3_600_000,
  nonce: NONCE,
};

async function offer(
  changes: Partial<ApprovedOffer> = {},
  header: Partial<ControlHeader<'approval'>> = {},
  key = OURS,
): Promise<ApprovedOffer> {
  const body = { re: NONCE, granted: [{ gvgId: 5, redundancyIndex: 3 }], refused: [] };
  const sign = async (digest: Uint8Array) => signDigest(digest, key);
  const message = await sealControl({ ...HEADER, ...header }, body, sign);
  return {
    job: HEADER.job,
    from: 1,
    to: 2,
    gvgId: 5,
    redundancyIndex: 3,
    approval: Buffer.from(message).toString('base64'),
    ...changes,
  };
}

test('our own approval for this offer is recognised', async (t) => {
  const good = await offer();
  t.notThrows(() => checkOwnApproval(good, CHECK));
});

test('an approval for another object, by another SP or from another time is refused', async (t) => {
  const code = (given: ApprovedOffer, check: Partial<ApprovalCheck> = {}): string | undefined =>
    t.throws(() => checkOwnApproval(given, { ...CHECK, ...check }), { instanceOf: Terminal })?.code;
  t.is(code(await offer({ gvgId: 6 })), 'approval-not-granted');
  t.is(code(await offer({ redundancyIndex: 4 })), 'approval-not-granted');
  t.is(code(await offer({ job: { objectId: '4712', version: 0 } })), 'control-wrong-job');
  t.is(code(await offer({ from: 3 })), 'control-wrong-receiver');
  t.is(code(await offer({}, { from: 3 })), 'control-wrong-sender');
  t.is(code(await offer({}, {}, THEIRS)), 'control-wrong-signature');
  t.is(code(await offer(), { now: HEADER.expiresAt }), 'control-expired');
  t.is(code(await offer(), { chainId: 'greenfield_5600-1' }), 'control-wrong-chain');
  t.is(code(await offer({ approval: '' })), 'control-malformed');
});

async function standingOffer(
  changes: Partial<ApprovedOffer> = {},
  header: Partial<ControlHeader<'standing-approval'>> = {},
  key = OURS,
): Promise<ApprovedOffer> {
  const place = { gvgId: 5, redundancyIndex: 3 };
  const about = { ...HEADER, ...place, kind: 'standing-approval', ...header } as const;
  const sign = async (digest: Uint8Array) => signDigest(digest, key);
  const message = await sealControl(about, { re: NONCE, columns: 10 }, sign);
  return { ...(await offer()), approval: Buffer.from(message).toString('base64'), ...changes };
}

test('our own standing approval is recognised, whatever the object', async (t) => {
  const other = await standingOffer({ job: { objectId: '4712', version: 3 } });
  t.deepEqual(checkOwnStandingApproval(other, CHECK), { columns: 10, expiresAt: HEADER.expiresAt });
});

test('a standing approval for another place, to or by another SP, or from another time is refused', async (t) => {
  const code = (given: ApprovedOffer, check: Partial<ApprovalCheck> = {}): string | undefined =>
    t.throws(() => checkOwnStandingApproval(given, { ...CHECK, ...check }), { instanceOf: Terminal })?.code;
  t.is(code(await standingOffer({ gvgId: 6 })), 'approval-not-granted');
  t.is(code(await standingOffer({ redundancyIndex: 4 })), 'approval-not-granted');
  t.is(code(await standingOffer({ from: 3 })), 'control-wrong-receiver');
  t.is(code(await standingOffer({}, { from: 3 })), 'control-wrong-sender');
  t.is(code(await standingOffer({}, {}, THEIRS)), 'control-wrong-signature');
  t.is(code(await standingOffer(), { now: HEADER.expiresAt }), 'control-expired');
  t.is(code(await offer()), 'control-wrong-kind');
});

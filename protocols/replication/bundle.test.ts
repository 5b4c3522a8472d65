import test from 'ava';
import fc from 'fast-check';
import { CLOCK_SKEW_MS, MAX_CONTROL_LIFETIME_MS } from '../control/checks.ts';
import { sealControl } from '../control/message.ts';
import { addressOf } from '../greenfield/address.ts';
import { publicKeyOf, signDigest } from '../greenfield/signature.ts';
import {
  type BundleExpectation,
  type BundleHeader,
  type Letter,
  MAX_BUNDLE_BYTES,
  MAX_LETTERS,
  openBundle,
  sealBundle,
} from './bundle.ts';

const KEY = new Uint8Array(32).fill(0x11);
const OTHER_KEY = new Uint8Array(32).fill(0x12);
const NOW = 1_700_000_000_000;
const NONCE = '0123456789abcdef0123456789abcdef';
const HASH = 'ab'.repeat(32);
const HEADER: BundleHeader = {
  chainId: 'greenfield_9000-1741',
  from: 1,
  to: 2,
  answerTo: 'f'.repeat(32),
  issuedAt: NOW,
  expiresAt: NOW + 60_000,
  nonce: NONCE,
};
const EXPECTED: BundleExpectation = {
  chainId: 'greenfield_9000-1741',
  now: NOW,
  from: 1,
  to: 2,
  operatorAddressOf: (id) => (id === 1 ? addressOf(publicKeyOf(KEY)) : undefined),
};

function column(objectId: string, attachment: Uint8Array): Letter<'column'> {
  return {
    kind: 'column',
    nonce: NONCE,
    job: { objectId, version: 0 },
    gvgId: 5,
    redundancyIndex: 3,
    body: {
      bucketName: 'mybucket',
      objectName: 'ä <b>.txt',
      payloadSize: 11,
      redundancy: 'EC',
      maxSegmentSize: 16,
      dataChunks: 4,
      parityChunks: 2,
      checksums: [HASH],
      approval: 'aGVsbG8=',
    },
    attachment,
  };
}

function refusal(objectId: string): Letter<'refusal'> {
  const { attachment: _, ...about } = column(objectId, new Uint8Array());
  const body = { re: NONCE, code: 'disk-full', reason: 'no room', again: true, read: false };
  return { ...about, kind: 'refusal', body };
}

const sign = async (digest: Uint8Array) => signDigest(digest, KEY);

async function seal(letters: readonly Letter[], header: Partial<BundleHeader> = {}): Promise<Uint8Array> {
  return sealBundle({ ...HEADER, ...header }, letters, sign);
}

function codeOf(bytes: Uint8Array, change: Partial<BundleExpectation> = {}): string | undefined {
  try {
    openBundle(bytes, { ...EXPECTED, ...change });
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

/** Signs what the sealer would never write. */
async function sealRaw(letters: unknown, attachments = new Uint8Array()): Promise<Uint8Array> {
  let bytes: Uint8Array = new Uint8Array();
  // the signature is over a digest of the header, so that the content can be any whose hash is in it
  const honest = await seal([refusal('1')]);
  const text = Buffer.from(JSON.stringify(letters));
  const content = Buffer.concat([lengthOf(text), text, attachments]);
  const head = JSON.parse(
    Buffer.from(honest.subarray(4, 4 + Buffer.from(honest).readUInt32BE(0))).toString(),
  );
  const { createHash } = await import('node:crypto');
  const { keccak256 } = await import('../greenfield/keccak.ts');
  const { sortedJson } = await import('../greenfield/sorted-json.ts');
  head.header.content_hash = createHash('sha256').update(content).digest('hex');
  const digest = keccak256(sortedJson({ type: 'sealion/Bundle', value: head.header }));
  head.signature = Buffer.from(signDigest(digest, KEY)).toString('hex');
  const first = Buffer.from(JSON.stringify(head));
  bytes = Buffer.concat([lengthOf(first), first, content]);
  return bytes;
}

function lengthOf(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return length;
}

test('letters are read back as sent, each with its own bytes', async (t) => {
  const letters = [
    column('4711', Buffer.from('hello')),
    refusal('4712'),
    column('4713', new Uint8Array()),
    column('4714', Buffer.from('world!')),
  ];
  const { letters: opened, ...header } = openBundle(await seal(letters), EXPECTED);
  t.deepEqual(header, HEADER);
  t.deepEqual(
    opened.map((one) => 'letter' in one && { ...one.letter, ...attached(one.letter) }),
    letters.map((letter) => ({ ...letter, ...attached(letter) })),
  );
});

test('any letters are read back in order, each with its own bytes', async (t) => {
  const letter = fc
    .tuple(fc.integer({ min: 1, max: 10 ** 9 }), fc.option(fc.uint8Array({ maxLength: 500 })))
    .map(([id, bytes]) => (bytes ? column(String(id), bytes) : refusal(String(id))));
  await fc.assert(
    fc.asyncProperty(fc.array(letter, { minLength: 1, maxLength: 20 }), async (letters) => {
      const { letters: opened } = openBundle(await seal(letters), EXPECTED);
      const bytes = opened.map((one) => ('letter' in one ? attached(one.letter) : undefined));
      t.deepEqual(bytes, letters.map(attached));
    }),
    { numRuns: 50 },
  );
});

test('a bundle is refused when any bit of it was changed', async (t) => {
  const honest = await seal([column('4711', Buffer.from('hello')), refusal('4712')]);
  await fc.assert(
    fc.asyncProperty(fc.nat(honest.length - 1), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
      const changed = Uint8Array.from(honest);
      changed[at] = (changed[at] as number) ^ (1 << bit);
      t.truthy(codeOf(changed), `byte ${at}`);
    }),
    { numRuns: 300 },
  );
});

test('a bundle is refused when it is cut off, or anything but a bundle', async (t) => {
  const honest = await seal([refusal('4711')]);
  for (const length of [0, 3, 4, 50, honest.length - 1]) t.truthy(codeOf(honest.subarray(0, length)));
  t.is(codeOf(Buffer.from('who are you? who are you?')), 'control-malformed');
  t.is(codeOf(new Uint8Array(MAX_BUNDLE_BYTES + 1)), 'control-malformed');
});

test('every field of the header is checked', async (t) => {
  const bytes = await seal([refusal('4711')]);
  t.is(codeOf(bytes), undefined);
  t.is(codeOf(bytes, { chainId: 'greenfield_1017-1' }), 'control-wrong-chain');
  t.is(codeOf(bytes, { to: 3 }), 'control-wrong-receiver');
  t.is(codeOf(bytes, { from: 3 }), 'control-wrong-sender');
  t.is(codeOf(bytes, { now: NOW + 60_000 }), 'control-expired');
  t.is(codeOf(bytes, { now: NOW - CLOCK_SKEW_MS - 1 }), 'control-not-yet');
  t.is(codeOf(bytes, { operatorAddressOf: () => undefined }), 'control-unknown-sender');
  const other = addressOf(publicKeyOf(OTHER_KEY));
  t.is(codeOf(bytes, { operatorAddressOf: () => other }), 'control-wrong-signature');
  const long = await seal([refusal('4711')], { expiresAt: NOW + MAX_CONTROL_LIFETIME_MS + 1 });
  t.is(codeOf(long), 'control-lives-too-long');
});

test('a control message is not a bundle', async (t) => {
  const { re, code, reason, again } = refusal('1').body;
  const about = { job: { objectId: '1', version: 0 }, gvgId: 5, redundancyIndex: 3 };
  const { answerTo: _, ...header } = HEADER;
  const control = { ...header, ...about, kind: 'refusal' as const };
  t.is(codeOf(await sealControl(control, { re, code, reason, again }, sign)), 'control-malformed');
});

test('a malformed letter does not affect the others in its bundle', async (t) => {
  const good = { object_id: '1', version: 0, gvg_id: 5, redundancy_index: 3, kind: 'refusal', nonce: NONCE };
  const body = refusal('1').body;
  const letters = [
    { ...good, body },
    { ...good, body: { ...body, extra: 1 } },
    { ...good, body, extra: 1 },
    { ...good, kind: 'offer', body },
    'nonsense',
    { ...good, body, attached: 4 },
    { ...good, body, attached: 1 },
    { ...good, body, attached: -1 },
    { ...good, object_id: '2', body },
  ];
  const { letters: opened } = openBundle(await sealRaw(letters, Buffer.from('four')), EXPECTED);
  t.deepEqual(
    opened.map((one) => ('letter' in one ? one.letter.job.objectId : one.fault.code)),
    ['1', ...Array(4).fill('control-malformed'), '1', ...Array(2).fill('control-malformed'), '2'],
  );
});

test('no bundle is empty or has more letters than agreed', async (t) => {
  t.is(codeOf(await sealRaw([])), 'control-malformed');
  t.is(codeOf(await sealRaw(Array(MAX_LETTERS + 1).fill(0))), 'control-malformed');
  t.is(codeOf(await sealRaw({})), 'control-malformed');
  await t.throwsAsync(seal([]), { code: 'control-malformed' });
});

function attached({ attachment }: Letter) {
  return attachment && { attachment: Buffer.from(attachment).toString('hex') };
}

import test from 'ava';
import { Terminal } from '../errors.ts';
import { addressOf } from '../greenfield/address.ts';
import { publicKeyOf, signDigest } from '../greenfield/signature.ts';
import { CONTROL_BODIES, type ControlBody, type ControlKind } from './bodies.ts';
import { CLOCK_SKEW_MS, MAX_CONTROL_LIFETIME_MS } from './checks.ts';
import { type ControlHeader, EVERYBODY } from './header.ts';
import { type ControlExpectation, MAX_CONTROL_BYTES, openControl, sealControl } from './message.ts';

const KEY = new Uint8Array(32).fill(0x11);
const OTHER_KEY = new Uint8Array(32).fill(0x12);
const OPERATORS = new Map([
  [1, addressOf(publicKeyOf(KEY))],
  [3, addressOf(publicKeyOf(OTHER_KEY))],
]);
const NOW = 1_700_000_000_000;
const NONCE = '0123456789abcdef0123456789abcdef';
const TOKEN = 'f'.repeat(32);
const HASH = 'ab'.repeat(32);

const HEADER: ControlHeader<'offer'> = {
  kind: 'offer',
  chainId: 'greenfield_9000-1741',
  from: 1,
  to: 2,
  job: { objectId: '4711', version: 0 },
  gvgId: 5,
  redundancyIndex: 3,
  issuedAt: NOW,
  expiresAt: NOW + 60_000,
  nonce: NONCE,
};
const BODIES: { readonly [K in ControlKind]: ControlBody<K> } = {
  ask: {
    bucketName: 'mybucket',
    objectName: 'a <b>.txt',
    payloadSize: 11,
    redundancy: 'EC',
    groups: [{ gvgId: 5, secondarySpIds: [2, 3, 4, 5, 6, 7] }],
  },
  approval: {
    re: NONCE,
    granted: [{ gvgId: 5, redundancyIndex: 0 }],
    refused: [{ gvgId: 6, code: 'draining', reason: 'It is being drained.' }],
  },
  offer: {
    bucketName: 'mybucket',
    objectName: 'a <b>.txt',
    payloadSize: 11,
    redundancy: 'REPLICA',
    maxSegmentSize: 16,
    dataChunks: 4,
    parityChunks: 2,
    checksums: [HASH],
    approval: 'AAAA',
    token: TOKEN,
  },
  accept: { re: NONCE, firstMissing: 0, token: TOKEN },
  done: { re: NONCE, checksums: [], sent: 11 },
  receipt: {
    re: NONCE,
    integrityHash: HASH,
    approvalSignature: 'ab'.repeat(65),
    blsSignature: 'cd'.repeat(96),
  },
  refusal: { re: NONCE, code: 'lag', reason: 'The chain lags.', again: true },
  'standing-approval': { re: NONCE, columns: 256 },
  fetch: { segmentIndex: 3, offset: 524_288, length: 1_000 },
};
const EXPECTED: ControlExpectation<'offer'> = {
  chainId: HEADER.chainId,
  now: NOW + 1,
  kinds: ['offer'],
  to: 2,
  operatorAddressOf: (spId) => OPERATORS.get(spId),
};

function sign(digest: Uint8Array): Promise<Uint8Array> {
  return Promise.resolve(signDigest(digest, KEY));
}

const sealed = sealControl(HEADER, BODIES.offer, sign);

test('every kind of message is read back as sent', async (t) => {
  for (const kind of Object.keys(CONTROL_BODIES) as ControlKind[]) {
    const header = { ...HEADER, kind, to: kind === 'ask' ? EVERYBODY : 2 };
    const bytes = await sealControl(header, BODIES[kind], sign);
    t.deepEqual(openControl(bytes, { ...EXPECTED, kinds: [kind], to: header.to }), {
      ...header,
      body: BODIES[kind],
    });
  }
});

test('a message is accepted when sender and subject are those expected', async (t) => {
  const opened = openControl(await sealed, { ...EXPECTED, from: 1, about: HEADER });
  t.is(opened.body.token, TOKEN);
  t.is(opened.nonce, NONCE);
});

test('a message for another receiver, subject or topic is refused', async (t) => {
  const bytes = await sealed;
  const code = (changes: Partial<ControlExpectation<ControlKind>>): string | undefined =>
    t.throws(() => openControl<ControlKind>(bytes, { ...EXPECTED, ...changes }), { instanceOf: Terminal })
      ?.code;
  t.is(code({ chainId: 'greenfield_5600-1' }), 'control-wrong-chain');
  t.is(code({ kinds: ['ask', 'done'] }), 'control-wrong-kind');
  t.is(code({ kinds: [] }), 'control-wrong-kind');
  t.is(code({ to: 3 }), 'control-wrong-receiver');
  t.is(code({ to: EVERYBODY }), 'control-wrong-receiver');
  t.is(code({ from: 3 }), 'control-wrong-sender');
  t.is(code({ operatorAddressOf: () => undefined }), 'control-unknown-sender');
  t.is(code({ operatorAddressOf: () => OPERATORS.get(3) }), 'control-wrong-signature');
  t.is(code({ about: { ...HEADER, job: { objectId: '4712', version: 0 } } }), 'control-wrong-job');
  t.is(code({ about: { ...HEADER, job: { objectId: '4711', version: 1 } } }), 'control-wrong-job');
  t.is(code({ about: { ...HEADER, gvgId: 6 } }), 'control-wrong-group');
  t.is(code({ about: { ...HEADER, redundancyIndex: 4 } }), 'control-wrong-index');
});

test('a message is valid from issue to expiry, with a tolerance for clocks', async (t) => {
  const bytes = await sealed;
  const code = (now: number): string | undefined =>
    t.throws(() => openControl(bytes, { ...EXPECTED, now }), { instanceOf: Terminal })?.code;
  t.notThrows(() => openControl(bytes, { ...EXPECTED, now: HEADER.expiresAt - 1 }));
  t.is(code(HEADER.expiresAt), 'control-expired');
  t.notThrows(() => openControl(bytes, { ...EXPECTED, now: NOW - CLOCK_SKEW_MS }));
  t.is(code(NOW - CLOCK_SKEW_MS - 1), 'control-not-yet');
});

test('no message is valid for longer than the limit', async (t) => {
  const lasting = async (lifetime: number) =>
    openControl(await sealControl({ ...HEADER, expiresAt: NOW + lifetime }, BODIES.offer, sign), EXPECTED);
  await t.notThrowsAsync(lasting(MAX_CONTROL_LIFETIME_MS));
  const error = await t.throwsAsync(lasting(MAX_CONTROL_LIFETIME_MS + 1), { instanceOf: Terminal });
  t.is(error?.code, 'control-lives-too-long');
});

/** What a thief of the bytes could try: change a field, keep the signature. */
const TAMPERED: Record<string, unknown> = {
  chain_id: 'greenfield_5600-1',
  from: 3,
  to: 3,
  kind: 'ask',
  object_id: '4712',
  version: 1,
  gvg_id: 6,
  redundancy_index: 4,
  body_hash: HASH,
  issued: NOW - 1,
  expires: NOW + 60_001,
  nonce: TOKEN,
};

test('every header field is signed', async (t) => {
  const message = JSON.parse(Buffer.from(await sealed).toString());
  t.deepEqual(Object.keys(TAMPERED).sort(), Object.keys(message.header).sort());
  for (const [field, value] of Object.entries(TAMPERED)) {
    const bytes = Buffer.from(JSON.stringify({ ...message, header: { ...message.header, [field]: value } }));
    const gullible: ControlExpectation<ControlKind> = {
      ...EXPECTED,
      chainId: field === 'chain_id' ? (value as string) : EXPECTED.chainId,
      to: field === 'to' ? (value as number) : EXPECTED.to,
      kinds: ['offer', 'ask'],
    };
    const error = t.throws(() => openControl<ControlKind>(bytes, gullible), { instanceOf: Terminal }, field);
    const caughtEarlier: Record<string, string> = {
      body_hash: 'control-wrong-body',
      kind: 'control-malformed',
    };
    t.is(error?.code, caughtEarlier[field] ?? 'control-wrong-signature', field);
  }
});

test('the body is signed', async (t) => {
  const message = JSON.parse(Buffer.from(await sealed).toString());
  for (const [field, value] of Object.entries({ payloadSize: 12, token: HASH.slice(32), checksums: [] })) {
    const bytes = Buffer.from(JSON.stringify({ ...message, body: { ...message.body, [field]: value } }));
    t.is(
      t.throws(() => openControl(bytes, EXPECTED), { instanceOf: Terminal })?.code,
      'control-wrong-body',
      field,
    );
  }
});

test('a signature by another key is refused', async (t) => {
  for (const bad of [(digest: Uint8Array) => signDigest(digest, OTHER_KEY), () => new Uint8Array(65)]) {
    const bytes = await sealControl(HEADER, BODIES.offer, async (digest) => bad(digest));
    t.is(
      t.throws(() => openControl(bytes, EXPECTED), { instanceOf: Terminal })?.code,
      'control-wrong-signature',
    );
  }
});

test('order of members and whitespace do not matter', async (t) => {
  const message = JSON.parse(Buffer.from(await sealed).toString());
  const shuffled = {
    signature: message.signature,
    body: Object.fromEntries(Object.entries(message.body).reverse()),
    header: Object.fromEntries(Object.entries(message.header).reverse()),
  };
  t.notThrows(() => openControl(Buffer.from(JSON.stringify(shuffled, undefined, 2)), EXPECTED));
});

test('text that is not a control message is refused', async (t) => {
  const message = JSON.parse(Buffer.from(await sealed).toString());
  const { nonce: _, ...withoutNonce } = message.header;
  const malformed: (string | Uint8Array)[] = [
    '',
    'null',
    '[]',
    '{}',
    Uint8Array.of(0x22, 0xff, 0x22),
    '['.repeat(100_000),
    JSON.stringify(message).padEnd(MAX_CONTROL_BYTES + 1),
    JSON.stringify({ ...message, more: 1 }),
    JSON.stringify({ ...message, header: withoutNonce }),
    JSON.stringify({ ...message, header: { ...message.header, more: 1 } }),
    JSON.stringify({ ...message, header: { ...message.header, from: 0 } }),
    JSON.stringify({ ...message, header: { ...message.header, object_id: '04711' } }),
    JSON.stringify({ ...message, header: { ...message.header, kind: 'constructor' } }),
    JSON.stringify({ ...message, header: { ...message.header, version: 0.5 } }),
    JSON.stringify({ ...message, body: { ...message.body, more: 1 } }),
    JSON.stringify({ ...message, body: { ...message.body, payloadSize: -1 } }),
    JSON.stringify({ ...message, body: { ...message.body, approval: '?' } }),
    JSON.stringify({ ...message, body: null }),
    `{"header":${JSON.stringify(message.header)},"signature":"${message.signature}","body":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    JSON.stringify({ ...message, signature: '00' }),
  ];
  for (const bytes of malformed) {
    const act = () => openControl(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, EXPECTED);
    t.is(t.throws(act, { instanceOf: Terminal })?.code, 'control-malformed');
  }
});

test('a malformed message is not signed', async (t) => {
  const refused = async (header: ControlHeader<'accept'>, body: ControlBody<'accept'>): Promise<void> => {
    const error = await t.throwsAsync(sealControl(header, body, sign), { instanceOf: Terminal });
    t.is(error?.code, 'control-malformed');
  };
  const header: ControlHeader<'accept'> = { ...HEADER, kind: 'accept' };
  await refused({ ...header, nonce: 'short' }, BODIES.accept);
  await refused({ ...header, from: 0 }, BODIES.accept);
  await refused(header, { ...BODIES.accept, token: '' });
  await refused(header, { ...BODIES.accept, firstMissing: -1 });
});

import test from 'ava';
import { Terminal } from '../errors.ts';
import { addressOf } from './address.ts';
import { toHex } from './hex.ts';
import { readKeyRegistration } from './key-registration.ts';
import { personalDigest } from './personal-signature.ts';
import { publicKeyOf, signDigest } from './signature.ts';

const KEY = new Uint8Array(32).fill(0x11);
const ACCOUNT = addressOf(publicKeyOf(KEY));
const DOMAIN = 'https://app.example.com';
/** The ed25519 key of protocols/greenfield/README.md#off-chain-keys. */
const PUBLIC_KEY = 'a09aa5f47a6759802ff955f8dc2d2a14a5c99d23be97f864127ff9383455a4f0';
const EXPIRY = '2024-01-03T03:04:05Z';
const NOW = Date.parse('2024-01-02T03:04:05Z');

const GOOD = { domain: DOMAIN, account: ACCOUNT, publicKey: PUBLIC_KEY, expiry: EXPIRY };
type Content = typeof GOOD;

/** As the JS SDK writes it. */
function text({ domain, account, publicKey, expiry }: Content): string {
  return `${domain} wants you to sign in with your BNB Greenfield account:${account}\nRegister your identity public key ${publicKey}\nURI: ${domain}\nVersion: 1\nChain ID: 9000\nIssued At: 2024-01-02T03:04:05Z\nExpiration Time: ${expiry}\n`;
}

/** As the Go SDK writes it. */
function goText({ domain, account, publicKey, expiry }: Content): string {
  return `${domain} wants you to sign in with your BNB Greenfield account:\n${account}\n\nRegister your identity public key ${publicKey}\n\nURI: ${domain}\nVersion: 1\nChain ID: 5600\nIssued At: 2024-01-02T03:04:05Z\nExpiration Time: ${expiry}`;
}

function sign(message: string): string {
  const signature = signDigest(personalDigest(message), KEY);
  return `GNFD1-ETH-PERSONAL_SIGN,SignedMsg=${message.replaceAll('\n', '\\n')},Signature=0x${toHex(signature)}`;
}

function headers(over: Partial<Parameters<typeof readKeyRegistration>[0]> = {}) {
  return {
    authorization: sign(text(GOOD)),
    origin: DOMAIN,
    domain: DOMAIN,
    publicKey: PUBLIC_KEY,
    expiry: EXPIRY,
    ...over,
  };
}

const READ = { account: ACCOUNT, domain: DOMAIN, publicKey: PUBLIC_KEY, expiresAt: Date.parse(EXPIRY) };

test('a registration by either SDK is read', (t) => {
  t.deepEqual(readKeyRegistration(headers(), NOW), READ);
  t.deepEqual(readKeyRegistration(headers({ authorization: sign(goText(GOOD)) }), NOW), READ);
});

test('the account may be written in any case, lines may follow, the fields may be swapped', (t) => {
  const lowerCase = sign(text({ ...GOOD, account: ACCOUNT.toLowerCase() }));
  t.deepEqual(readKeyRegistration(headers({ authorization: lowerCase }), NOW), READ);
  const more = sign(`${goText(GOOD)}\nResources:\n- anything`);
  t.deepEqual(readKeyRegistration(headers({ authorization: more }), NOW), READ);
  const [scheme, message, signature] = headers().authorization.split(',');
  const swapped = [scheme, signature, message].join(',');
  t.deepEqual(readKeyRegistration(headers({ authorization: swapped }), NOW), READ);
});

test('a public key is kept in lower case', (t) => {
  const publicKey = PUBLIC_KEY.toUpperCase();
  const authorization = sign(text({ ...GOOD, publicKey }));
  t.deepEqual(readKeyRegistration(headers({ authorization, publicKey }), NOW), READ);
});

test("an invalid registration is refused with today's code for each reason", (t) => {
  const code = (over: Parameters<typeof headers>[0], now = NOW): number | undefined =>
    t.throws(() => readKeyRegistration(headers(over), now), { instanceOf: Terminal }, JSON.stringify(over))
      ?.gatewayCode;
  const signed = headers().authorization;
  const signing = (over: Partial<Content>) => ({ authorization: sign(text({ ...GOOD, ...over })) });
  t.is(code({ authorization: '' }), 50001);
  t.is(code({ authorization: signed.replace('GNFD1-ETH-PERSONAL_SIGN', 'GNFD1-ECDSA') }), 50001);
  t.is(code({ authorization: 'GNFD1-ETH-PERSONAL_SIGN' }), 50002);
  t.is(code({ authorization: signed.replace('SignedMsg', 'Message') }), 50002);
  t.is(code({ authorization: `${signed},Signature=0x00` }), 50002);
  t.is(code({ authorization: sign(`${text(GOOD)}a,b`) }), 50002);
  t.is(code({ authorization: sign(`${text(GOOD)}a=b`) }), 50002);
  t.is(code({ authorization: signed.replace(/Signature=.*/, 'Signature=0x00') }), 50015);
  t.is(code({ authorization: signed.replace('Chain ID: 9000', 'Chain ID: 9001') }), 50015);
  t.is(code(signing({ account: '0x0000000000000000000000000000000000000001' })), 50015);
  t.is(code({ domain: '' }), 50017);
  t.is(code({ domain: '', origin: '' }), 50017);
  t.is(code({ origin: '' }), 50017);
  t.is(code({ origin: 'https://evil.example.com' }), 50017);
  const long = `https://${'x'.repeat(300)}`;
  t.is(code({ ...signing({ domain: long }), domain: long, origin: long }), 50017);
  for (const publicKey of ['', 'zz'.repeat(32), `${PUBLIC_KEY}00`, `0x${PUBLIC_KEY}`]) {
    t.is(code({ ...signing({ publicKey }), publicKey }), 50018);
  }
  t.is(code({ expiry: '' }), 50023);
  t.is(code({}, Date.parse(EXPIRY)), 50023);
  t.is(code({}, NOW - 7 * 24 * 3600 * 1000), 50023);
  t.is(code({ authorization: sign('Sign me in') }), 50022);
  t.is(code({ authorization: sign(text(GOOD).replace('Version: 1\n', '')) }), 50022);
  t.is(code({ authorization: sign(`Take all my money.\n${text(GOOD)}`) }), 50022);
  t.is(code(signing({ domain: 'https://evil.example.com' })), 50037);
  t.is(code(signing({ publicKey: '00'.repeat(32) })), 50020);
  t.is(code(signing({ expiry: '2024-01-04T03:04:05Z' })), 50038);
});

test('a text that repeats its own phrases many times is refused', (t) => {
  const filler =
    ' wants you to sign in with your BNB Greenfield account:aRegister your identity public key aURI: ';
  const authorization = sign(`${DOMAIN}${filler.repeat(150)}\nURI: a`);
  t.is(
    t.throws(() => readKeyRegistration(headers({ authorization }), NOW), { instanceOf: Terminal })
      ?.gatewayCode,
    50022,
  );
});

test('a text of more than a million characters is refused', (t) => {
  const welcome = ' wants you to sign in with your BNB Greenfield account:';
  const long = `${DOMAIN}${welcome.repeat(20_000)}\n${'\n'.repeat(500_000)}`;
  t.throws(() => readKeyRegistration(headers({ authorization: sign(long) }), NOW), {
    code: 'bad-registration',
  });
});

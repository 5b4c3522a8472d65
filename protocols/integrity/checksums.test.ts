import test from 'ava';
import { Terminal } from '../errors.ts';
import { checkIntegrity, checksum, generateHash, integrityHash, PRIMARY } from './checksums.ts';

/** "hello world" as one segment, greenfield.md §3.1. */
const SEGMENT = 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9';
const COLUMN_3 = '898ffd48c8b40d8e7024c548c314bd06f60a33287c197101bf796c748e261649';
const EXPECTED = [
  'bc62d4b80d9e36da29c16c5d4d9f11731f36052c72401a76c23c0fb5a9b74423',
  '7fc8e8d337c5a486405d983526243cc5a651c19a528a5b1f2f73c68ae351fb42',
  '272f2673e2589209042a0a024b23a268d57ad0b1a375c68a18e209d250488a69',
  'cd896deb498a655b4bc6387317d88d7bb18cc2f5a55deb7e98359383223112da',
  '4c148e861612c42318111e70745c50bc415e7024054b0dad943df1c06459ad7e',
  'ab19f77156321ed51dd462caf38cb24c6e9fcaa7d9e6d65ec06f52a328adb604',
  '971c26b6de62f529c0477d1df7a91aa1112447ed60240d242305c6f900623a49',
] as const;

test('the checksum of a piece is its SHA-256', (t) => {
  t.is(checksum(new TextEncoder().encode('hello world')), SEGMENT);
});

test('the integrity hash of nothing is the SHA-256 of nothing, as clients compute it', (t) => {
  t.is(integrityHash([]), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('the hash over all seven is the one of the BLS document', (t) => {
  t.is(generateHash(EXPECTED), '4427e57d76010800d7043e9f3e665eed43a0cac2249c2616e6785ec4ea4a851f');
});

test('each role is checked against its own checksum', (t) => {
  t.is(checkIntegrity(PRIMARY, [SEGMENT], EXPECTED), EXPECTED[0]);
  t.is(checkIntegrity(3, [COLUMN_3], EXPECTED), EXPECTED[4]);
  t.is(checkIntegrity(3, [COLUMN_3], []), EXPECTED[4]);
});

test('a mismatch names the role and what the client sees', (t) => {
  const payload = t.throws(() => checkIntegrity(PRIMARY, [COLUMN_3], EXPECTED), { instanceOf: Terminal });
  t.is(payload?.code, 'integrity-mismatch');
  t.is(payload?.gatewayCode, 110004);
  const column = t.throws(() => checkIntegrity(2, [COLUMN_3], EXPECTED), { instanceOf: Terminal });
  t.is(column?.gatewayCode, 80004);
  t.regex(column?.message ?? '', /column 2/);
  t.throws(() => checkIntegrity(6, [COLUMN_3], EXPECTED), {
    instanceOf: Terminal,
    message: /no such column/,
  });
});

test('what is no checksum is refused, not hashed', (t) => {
  t.is(t.throws(() => integrityHash(['00']), { instanceOf: Terminal })?.code, 'bad-hex');
});

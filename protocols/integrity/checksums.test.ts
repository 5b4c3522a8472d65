import test from 'ava';
import { Terminal } from '../errors.ts';
import { checkIntegrity, checksum, generateHash, integrityHash, PRIMARY } from './checksums.ts';
import { HELLO_WORLD_CHECKSUMS } from './hello-world.fixture.ts';

/** "hello world" as one segment, protocols/erasure/README.md#vectors. */
const SEGMENT = 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9';
const COLUMN_3 = '898ffd48c8b40d8e7024c548c314bd06f60a33287c197101bf796c748e261649';
const EXPECTED = HELLO_WORLD_CHECKSUMS;

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

test('a mismatch names the role and the code for the client', (t) => {
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

test('an invalid checksum is refused, not hashed', (t) => {
  t.is(t.throws(() => integrityHash(['00']), { instanceOf: Terminal })?.code, 'bad-hex');
});

import test from 'ava';
import { Terminal } from '../errors.ts';
import { checkBucketName, checkObjectName } from './names.ts';

test('bucket names follow the rules of the chain', (t) => {
  for (const name of ['abc', '0-0', 'a.b-c', 'a'.repeat(63), '1.2.3', 'a1.2.3.4']) {
    t.notThrows(() => checkBucketName(name), name);
  }
  for (const name of [
    '',
    'ab',
    'a'.repeat(64),
    'Abc',
    'a_b',
    '-ab',
    'ab-',
    '.ab',
    'a..b',
    'a.-b',
    'a-.b',
    '1.2.3.4',
    'abc\n',
    'äbc',
  ]) {
    t.is(t.throws(() => checkBucketName(name), { instanceOf: Terminal })?.code, 'bad-bucket-name', name);
  }
});

test('object names follow the rules of the chain', (t) => {
  for (const name of ['a', 'a/b c.txt', 'folder/', '...', 'a/..b', 'ü'.repeat(512), '\u{1f600}', '/a']) {
    t.notThrows(() => checkObjectName(name), name);
  }
  for (const name of [
    '',
    '  ',
    '.',
    '..',
    'a/../b',
    'a/./b',
    'a/ .. /b',
    'a//b',
    'a\\b',
    'ü'.repeat(513),
    '\ud800',
  ]) {
    t.is(t.throws(() => checkObjectName(name), { instanceOf: Terminal })?.gatewayCode, 50044, name);
  }
});

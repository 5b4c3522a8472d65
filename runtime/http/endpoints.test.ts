import { connect, createServer } from 'node:net';
import test from 'ava';
import { isPublic, parseEndpoint, reach } from './endpoints.ts';

test('public addresses are distinguished from all others', (t) => {
  for (const address of [
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '198.20.0.1',
    '223.255.255.255',
    '2606:4700::1',
  ]) {
    t.true(isPublic(address), address);
  }
  for (const address of [
    ...[
      '0.0.0.0',
      '10.9.8.7',
      '100.64.0.1',
      '127.255.0.1',
      '169.254.169.254',
      '172.31.255.255',
      '192.168.0.1',
    ],
    ...['198.19.0.1', '224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255', '192.0.0.192'],
    ...[
      '::',
      '::1',
      '::ffff:8.8.8.8',
      '64:ff9b::808:808',
      'fe80::1',
      'fd00::1',
      'ff02::1',
      '2002::1',
      '2001::1',
    ],
    ...['2001:db8::1', 'localhost', ''],
  ]) {
    t.false(isPublic(address), address);
  }
});

test('a host name is checked by the address that it connects to', async (t) => {
  const server = createServer(() => t.fail('it was connected to'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const { lookup } = reach({ allowPrivate: false });
  for (const autoSelectFamily of [true, false]) {
    const socket = connect({ host: 'localhost', port, lookup, autoSelectFamily });
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
    t.like(error, { code: 'private-endpoint' });
  }
});

test('an endpoint must be http or https, without credentials', (t) => {
  t.is(parseEndpoint('https://sp.example.com/base?x=1#y')?.href, 'https://sp.example.com/base');
  for (const endpoint of [
    '',
    'sp.example.com',
    'ftp://a',
    'javascript:1',
    'http://u@a',
    'http://:p@a',
    'http://',
  ]) {
    t.is(parseEndpoint(endpoint), undefined, endpoint);
  }
});

import test from 'ava';
import { isNetwork, Proxies } from './proxies.ts';

/** The client address that a server behind some proxies finds in a request. */
function client(networks: readonly string[], remoteAddress: string | undefined, forwarded?: string) {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return new Proxies(networks).clientAddress({ socket: { remoteAddress }, headers } as never);
}

test('without configured proxies nobody is believed', (t) => {
  t.is(client([], '203.0.113.9', '198.51.100.1'), '203.0.113.9');
  t.is(client([], '127.0.0.1', '198.51.100.1'), '127.0.0.1');
});

test('only a configured proxy is believed', (t) => {
  const proxies = ['10.0.0.0/8', '2001:db8::1', '192.0.2.7'];
  t.is(client(proxies, '10.9.9.9', '198.51.100.1'), '198.51.100.1');
  t.is(client(proxies, '::ffff:10.9.9.9', '198.51.100.1'), '198.51.100.1');
  t.is(client(proxies, '192.0.2.7', '2001:db8::9'), '2001:db8::9');
  t.is(client(proxies, '2001:db8::1', '198.51.100.1'), '198.51.100.1');
  t.is(client(proxies, '192.0.2.8', '198.51.100.1'), '192.0.2.8');
  t.is(client(proxies, '2001:db8::2', '198.51.100.1'), '2001:db8::2');
});

test('what a client writes ahead of the proxy has no effect', (t) => {
  t.is(client(['10.0.0.1'], '10.0.0.1', '1.1.1.1, 198.51.100.1'), '198.51.100.1');
  t.is(client(['10.0.0.1'], '10.0.0.1', '10.0.0.1, 198.51.100.1'), '198.51.100.1');
  t.is(client(['10.0.0.1'], '10.0.0.1', ', ,"<x>,198.51.100.1'), '198.51.100.1');
});

test('a chain of proxies is followed to the first address that is not one of them', (t) => {
  t.is(client(['10.0.0.0/8'], '10.0.0.1', '1.1.1.1, 198.51.100.1, 10.0.0.2'), '198.51.100.1');
  t.is(client(['10.0.0.0/8'], '10.0.0.1', '10.0.0.3, 10.0.0.2'), '10.0.0.3');
});

test('a proxy that names no address counts as the client', (t) => {
  t.is(client(['10.0.0.1'], '10.0.0.1'), '10.0.0.1');
  for (const nonsense of ['', 'unknown', '_hidden', '1.2.3', '198.51.100.1;', '[::1', '1.1.1.1, unknown']) {
    t.is(client(['10.0.0.1'], '10.0.0.1', nonsense), '10.0.0.1', nonsense);
  }
});

test('an address may have a port', (t) => {
  t.is(client(['10.0.0.1'], '10.0.0.1', '198.51.100.1:4711'), '198.51.100.1');
  t.is(client(['10.0.0.1'], '10.0.0.1', '[2001:db8::9]:4711'), '2001:db8::9');
  t.is(client(['10.0.0.1'], '10.0.0.1', '[2001:db8::9]'), '2001:db8::9');
});

test('a closed connection has no address', (t) => {
  t.is(client(['10.0.0.1'], undefined, '198.51.100.1'), undefined);
});

test('addresses and networks are distinguished from other text', (t) => {
  for (const text of ['127.0.0.1', '10.0.0.0/8', '0.0.0.0/0', '::1', 'fd00::/8', '2001:db8::1/128']) {
    t.true(isNetwork(text), text);
  }
  for (const text of [
    '',
    'localhost',
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.0/',
    '::/129',
    'fe80::1%eth0',
    '::1/1/1',
  ]) {
    t.false(isNetwork(text), text);
  }
});

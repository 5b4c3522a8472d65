import test from 'ava';
import { clientOf, hostName, isAddressOf } from './hosts.ts';

test('a Host header is read without its port, and may contain nothing else', (t) => {
  t.is(hostName('Photos.SP1.example.com:9033'), 'photos.sp1.example.com');
  t.is(hostName('[::1]:80'), '::1');
  t.is(hostName('127.0.0.1'), '127.0.0.1');
  for (const header of ['', ' ', 'a b', 'a@b', 'a/b', 'a:b', 'a:', '[::1', 'ph%6ftos', 'a,b', 'a:123456']) {
    t.is(hostName(header), undefined, header);
  }
});

test('a connection is accepted under its own address, and under loopback names only from loopback', (t) => {
  t.true(isAddressOf({ localAddress: '10.0.0.7' }, '10.0.0.7'));
  t.true(isAddressOf({ localAddress: '::ffff:10.0.0.7' }, '10.0.0.7'));
  t.true(isAddressOf({ localAddress: '127.0.0.1' }, 'localhost'));
  t.false(isAddressOf({ localAddress: '10.0.0.7' }, 'localhost'));
  t.false(isAddressOf({ localAddress: '10.0.0.7' }, '10.0.0.8'));
  t.false(isAddressOf({ localAddress: '127.0.0.1' }, 'a.localhost'));
});

test('all addresses of an IPv6 network count as one client', (t) => {
  t.is(clientOf('127.0.0.1'), '127.0.0.1');
  t.is(clientOf('::ffff:10.0.0.1'), '10.0.0.1');
  t.is(clientOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  t.is(clientOf('2001:db8:1:2::9'), '2001:db8:1:2::/64');
  t.is(clientOf('2001:db8::1'), '2001:db8:0:0::/64');
  t.is(clientOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
  t.is(clientOf('::1'), '0:0:0:0::/64');
});

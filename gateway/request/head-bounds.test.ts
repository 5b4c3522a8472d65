import test from 'ava';
import { errorOf, testGateway } from '../testing/gateway.ts';

const OBJECT = 'http://photos.sp1.localhost/a.jpg';

test('a header section longer than any client needs is refused', async (t) => {
  const { app } = testGateway(t);
  const long = (headers: Record<string, string>, query = '', method = 'GET') =>
    app.request(`${OBJECT}${query}`, { method, headers });
  const refused = async (response: Response | Promise<Response>) => (await errorOf(await response)).code;
  t.is(await refused(long({ Authorization: `GNFD1-ECDSA,${' '.repeat(9_000)}x` })), 50009);
  t.is(
    await refused(long({ 'Access-Control-Request-Headers': `a${' '.repeat(9_000)}b` }, '', 'OPTIONS')),
    50009,
  );
  t.is(await refused(long({}, `?${'a&'.repeat(9_000)}`)), 50010);
  t.is(await refused(long({}, `?${'a&'.repeat(8_000)}`)), 50004);
});

test('the task header of a piece may be long: it holds the object name in hex', async (t) => {
  const { app } = testGateway(t);
  const headers = { 'X-Gnfd-Receive-Msg': '7b'.repeat(15_000) };
  const path = 'http://sp1.localhost/greenfield/receiver/v1/replicate-piece';
  t.is((await errorOf(await app.request(path, { method: 'PUT', headers }))).code, 50008);
});

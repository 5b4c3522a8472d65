import test from 'ava';
import { testGateway } from '../testing/gateway.ts';

test('caches do not store what the gateway says of itself, of an object or of an error', async (t) => {
  const { app } = testGateway(t);
  for (const target of [
    '/status',
    '/photos/a.jpg?object-meta',
    '/photos/none',
    '/',
    '/photos/a.jpg?uploads',
  ]) {
    const response = await app.request(`http://sp1.localhost${target}`);
    t.is(response.headers.get('Cache-Control'), 'no-store', target);
  }
});

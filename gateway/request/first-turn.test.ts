import test from 'ava';
import { Hono } from 'hono';
import { REPLICATE_PIECE_PATH } from '#protocols/replication/receive-message';
import { Turns } from '#runtime/load/turns';
import { object } from '../testing/chain.ts';
import { testGateway } from '../testing/gateway.ts';
import type { GatewayEnv } from './context.ts';
import { firstTurn } from './first-turn.ts';
import { pathToRoute } from './target.ts';

test('a request for another object does not wait for all of a crowd that wants the same', async (t) => {
  const { app, chain } = testGateway(t);
  chain.objects = ['a', 'b'].map((objectName) => ({
    object: object({ objectName, status: 'SEALED', payloadSize: 0, visibility: 'PUBLIC_READ' }),
  }));
  const begun: string[] = [];
  const find = chain.object.bind(chain);
  chain.object = (bucketName, objectName) => {
    begun.push(objectName);
    return find(bucketName, objectName);
  };
  const get = (name: string) => app.request(`http://photos.sp1.localhost/${name}`);
  const answers = await Promise.all([...Array.from({ length: 50 }, () => get('a')), get('b')]);
  t.true(answers.every(({ status }) => status === 200));
  t.true(begun.indexOf('b') < 5, begun.join(''));
});

test('an upload goes first from its begin to its answer, also when it fails; nothing else does', async (t) => {
  let uploads = 0;
  class Counted extends Turns {
    override uploadBegins(): () => void {
      const ended = super.uploadBegins();
      uploads += 1;
      return () => {
        uploads -= 1;
        ended();
      };
    }
  }
  const app = new Hono<GatewayEnv>({ getPath: pathToRoute(['sp1.localhost']) });
  app.use(firstTurn(new Counted({ costPerTurn: 1 }), 1));
  app.all('*', (c) => {
    if (c.req.query('fails') !== undefined) throw new Error('fails');
    return c.text(`${uploads}`);
  });
  app.onError((_, c) => c.text(`failed beside ${uploads}`, 500));
  const send = async (method: string, path: string) => {
    const answer = await app.request(`http://sp1.localhost${path}`, { method });
    return answer.text();
  };
  t.is(await send('PUT', '/photos/a.jpg'), '1');
  t.is(await send('POST', '/photos/a.jpg?offset=0'), '1');
  await send('PUT', '/photos/a.jpg?fails');
  t.is(uploads, 0);
  t.is(await send('GET', '/photos/a.jpg'), '0');
  t.is(await send('PUT', REPLICATE_PIECE_PATH), '0', 'for other SPs clients do not wait');
});

import test from 'ava';
import { object } from '../testing/chain.ts';
import { testGateway } from '../testing/gateway.ts';

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

import test from 'ava';
import { XMLParser } from 'fast-xml-parser';
import { OWNER, object } from '../testing/chain.ts';
import { errorOf, testGateway } from '../testing/gateway.ts';

const URL_OF = 'http://photos.sp1.localhost/a.jpg?object-meta=';

test('everybody can read the metadata of an object, in the form that the JS SDK reads', async (t) => {
  const { app, chain } = testGateway(t);
  chain.objects = [{ object: object({ status: 'SEALED', contentType: 'a&b', checksums: ['00', '11'] }) }];
  const response = await app.request(URL_OF);
  t.is(response.status, 200);
  t.is(response.headers.get('Content-Type'), 'application/xml');
  const parsed = new XMLParser({ parseTagValue: false }).parse(await response.text());
  const { ObjectInfo, ...rest } = parsed.GfSpGetObjectMetaResponse.Object;
  t.deepEqual(ObjectInfo, {
    Owner: OWNER.address,
    Creator: OWNER.address,
    BucketName: 'photos',
    ObjectName: 'a.jpg',
    Id: '4711',
    LocalVirtualGroupId: '0',
    PayloadSize: '10',
    Visibility: '3',
    ContentType: 'a&b',
    CreateAt: '2000',
    ObjectStatus: '1',
    RedundancyType: '0',
    SourceType: '0',
    Checksums: ['00', '11'],
    Tags: '',
    IsUpdating: 'false',
    UpdatedAt: '0',
    UpdatedBy: OWNER.address,
    Version: '0',
  });
  const zero = `0x${'0'.repeat(64)}`;
  t.like(rest, { Removed: 'false', Operator: OWNER.address, CreateTxHash: zero, SealTxHash: zero });
});

test('an object unknown to the chain is 90010', async (t) => {
  const { app, chain } = testGateway(t);
  chain.objects = [];
  const { status, code } = await errorOf(await app.request(URL_OF));
  t.deepEqual([status, code], [404, 90010]);
});
